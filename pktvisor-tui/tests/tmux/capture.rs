//! Capture files of a few DNS queries and responses.

/// A capture of a few queries and responses of `www.example.com`, in microseconds, Ethernet.
pub(crate) fn capture_of_dns() -> Vec<u8> {
    capture_of(std::iter::repeat_n(1, 50))
}

/// The same with a query and its response for each of these clients in 192.0.2.0/24.
pub(crate) fn capture_of(clients: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut capture = Vec::new();
    capture.extend(0xa1b2_c3d4_u32.to_le_bytes());
    capture.extend([2, 0, 4, 0]);
    capture.extend([0; 8]);
    capture.extend(65_535_u32.to_le_bytes());
    capture.extend(1_u32.to_le_bytes());
    for (id, client) in (0_u16..).zip(clients) {
        for (is_response, micros) in [(false, 0), (true, 400)] {
            let packet = dns_packet(id, client, is_response);
            let length = u32::try_from(packet.len()).expect("it is short");
            capture.extend(1_585_051_200_u32.to_le_bytes());
            capture.extend((u32::from(id) * 1000 + micros).to_le_bytes());
            capture.extend(length.to_le_bytes());
            capture.extend(length.to_le_bytes());
            capture.extend(packet);
        }
    }
    capture
}

fn dns_packet(id: u16, client: u8, is_response: bool) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([if is_response { 0x84 } else { 0x01 }, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(b"\x03www\x07example\x03com\0\0\x01\0\x01");
    let (client, server) = ([192, 0, 2, client], [192, 0, 2, 53]);
    let (source, destination) = if is_response { (server, client) } else { (client, server) };
    let ports: [u16; 2] = if is_response { [53, 40_000] } else { [40_000, 53] };
    let udp_length = u16::try_from(8 + message.len()).expect("it is short");
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    packet.extend(source);
    packet.extend(destination);
    packet.extend(ports[0].to_be_bytes());
    packet.extend(ports[1].to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(message);
    packet
}
