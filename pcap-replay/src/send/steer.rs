//! Spreads flows over queues as a network card with symmetric receive-side scaling does: both
//! directions of a flow, and all fragments of a datagram, go to one queue.

const ETHERNET_TYPE: usize = 12;
/// VLAN tags that are skipped, as many as network cards skip.
const MOST_TAGS: usize = 2;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The queue of this frame, below `queues`; 0 for a frame without an IP packet.
pub(super) fn queue(frame: &[u8], queues: u32) -> u32 {
    let Some(flow) = ip_header(frame).and_then(flow) else { return 0 };
    // The upper half of a product with 2^64 times the golden ratio: every bit of the flow counts.
    let hash = flow.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    // Below `queues`, which is a u32.
    ((hash * u64::from(queues)) >> 32) as u32
}

fn ip_header(frame: &[u8]) -> Option<&[u8]> {
    let mut at = ETHERNET_TYPE;
    for _ in 0..=MOST_TAGS {
        match frame.get(at..at + 2)? {
            [0x08, 0x00] | [0x86, 0xdd] => return frame.get(at + 2..),
            [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] => at += 4,
            _ => return None,
        }
    }
    None
}

/// The same number for both directions: source and destination are added up.
fn flow(ip: &[u8]) -> Option<u64> {
    let (addresses, protocol, payload) = match ip.first()? >> 4 {
        4 => {
            let header_len = usize::from(ip[0] & 0xf) * 4;
            let is_fragment = ip.get(6..8)? != [0, 0] && ip.get(6..8)? != [0x40, 0];
            let payload = if is_fragment { None } else { ip.get(header_len..) };
            (ip.get(12..20)?, *ip.get(9)?, payload)
        }
        6 => (ip.get(8..40)?, *ip.get(6)?, ip.get(40..)),
        _ => return None,
    };
    let mut flow = sum_of_words(addresses);
    if let (TCP | UDP, Some(&[a, b, c, d, ..])) = (protocol, payload) {
        let ports = u64::from(u16::from_be_bytes([a, b])) + u64::from(u16::from_be_bytes([c, d]));
        flow = flow.wrapping_add(ports.rotate_left(40));
    }
    Some(flow)
}

fn sum_of_words(bytes: &[u8]) -> u64 {
    let words =
        bytes.chunks_exact(4).map(|word| u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]])));
    words.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(source: [u8; 4], destination: [u8; 4], fragment: u16, ports: [u16; 2]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x08, 0x00, 0x45, 0, 0, 28, 0, 0]);
        frame.extend(fragment.to_be_bytes());
        frame.extend([64, UDP, 0, 0]);
        frame.extend(source.into_iter().chain(destination));
        frame.extend(ports.into_iter().flat_map(u16::to_be_bytes));
        frame.extend([0, 8, 0, 0]);
        frame
    }

    const A: [u8; 4] = [192, 0, 2, 1];
    const B: [u8; 4] = [198, 51, 100, 7];

    #[test]
    fn both_directions_of_a_flow_share_a_queue() {
        for port in 1024..2048 {
            let there = queue(&ipv4(A, B, 0, [port, 53]), 4);
            assert_eq!(there, queue(&ipv4(B, A, 0, [53, port]), 4));
        }
    }

    #[test]
    fn flows_are_spread_evenly_by_port_and_by_address() {
        for by_port in [true, false] {
            let mut counts = [0_u32; 4];
            for n in 0..4000_u16 {
                let [high, low] = n.to_be_bytes();
                let frame = if by_port {
                    ipv4(A, B, 0, [1024 + n, 53])
                } else {
                    ipv4([10, 0, high, low], B, 0, [4000, 53])
                };
                counts[queue(&frame, 4) as usize] += 1;
            }
            assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn all_fragments_of_a_datagram_share_a_queue() {
        let first = queue(&ipv4(A, B, 0x2000, [1234, 53]), 8);
        assert_eq!(first, queue(&ipv4(A, B, 0x00b9, [0xdead, 0xbeef]), 8));
        assert_eq!(
            queue(&ipv4(A, B, 0x4000, [1, 53]), 8),
            queue(&ipv4(A, B, 0, [1, 53]), 8),
            "DF is not a fragment"
        );
    }

    #[test]
    fn tags_are_skipped_and_frames_without_ip_go_to_the_first_queue() {
        let frame = ipv4(A, B, 0, [4321, 53]);
        let mut tagged = frame.clone();
        tagged.splice(12..12, [0x88, 0xa8, 0, 1, 0x81, 0, 0, 2]);
        assert_eq!(queue(&tagged, 64), queue(&frame, 64));
        for length in 0..frame.len() {
            assert!(queue(&frame[..length], 4) < 4);
        }
        assert_eq!(queue(&[0xff; 60], 4), 0);
    }
}
