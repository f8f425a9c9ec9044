//! Frames between both ends of a cable: 10.53.0.1 is the far end, 10.53.0.2 the watched end.

/// The end of the cable that sends a frame.
#[derive(Clone, Copy)]
pub(crate) enum Sender {
    Far,
    Watched,
}

/// A broadcast UDP packet with this payload, which the watched end takes with any address.
pub(crate) fn udp(sender: Sender, port: u16, payload: &[u8]) -> Vec<u8> {
    let (from, to): (u8, u8) = match sender {
        Sender::Far => (1, 2),
        Sender::Watched => (2, 1),
    };
    let [total, length] = [28, 8].map(|headers| headers + payload.len() as u16);
    let mut frame = [[0xff; 6], [2, 0x53, 0, 0, 0, from]].concat();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame.extend([10, 53, 0, from, 10, 53, 0, to]);
    frame.extend([0x9c, 0x40]);
    frame.extend(port.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// A DNS query to the watched end: example.org, A.
pub(crate) fn query(id: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(b"\x07example\x03org\0");
    message.extend([0, 1, 0, 1]);
    udp(Sender::Far, 53, &message)
}
