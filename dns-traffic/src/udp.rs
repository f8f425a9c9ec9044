//! DNS over UDP: a query, usually a response, and their possible failures.

use super::addresses::{PacketAddresses, Parties};
use super::facts::{MessageFacts, MessageTransport};
use super::frame::{VlanTags, protocol, udp, udp_datagram, udp_fragment};
use super::message::{DnsExchange, draw_exchange, opcode, rcode, write_malformed};
use super::stage::{AskedServer, MILLISECOND_NS, Role, SECOND_NS, Stage, record_ip, record_udp_fragment};
use super::tcp;

/// The most packets that one conversation takes: two queries, two responses in four fragments each,
/// and the same question again over TCP.
pub(crate) const PACKETS_MAX: u64 = 10 + tcp::SINGLE_PACKETS_MAX;

/// The course of a conversation.
#[derive(Clone, Copy, Debug)]
enum Course {
    Answered,
    Unanswered,
    /// The first query is lost, the second one answered.
    Repeated,
    /// Neither of two queries is answered.
    RepeatedUnanswered,
    /// The response takes so long that the query is repeated, and answered again.
    RepeatedTwiceAnswered,
    /// The response comes after the time-out.
    Late,
    Duplicated,
    /// A response to another question comes first.
    Mismatched,
    /// There was no query.
    Orphan,
}

const COURSES: [(u32, Course); 9] = [
    (9600, Course::Answered),
    (140, Course::Unanswered),
    (90, Course::Repeated),
    (40, Course::RepeatedUnanswered),
    (20, Course::RepeatedTwiceAnswered),
    (30, Course::Late),
    (40, Course::Duplicated),
    (10, Course::Mismatched),
    (30, Course::Orphan),
];

/// One client, one server, one exchange.
#[derive(Clone, Copy, Debug)]
struct Talk {
    parties: Parties,
    client_port: u16,
    tags: VlanTags,
    exchange: DnsExchange,
    role: Role,
}

/// Plans a conversation whose first packet is due at `now_ns`.
pub(crate) fn converse(stage: &mut Stage, now_ns: u64) {
    if stage.rng.chance(stage.config.malformed) {
        return send_malformed(stage, now_ns);
    }
    let talk = draw_talk(stage);
    let answer_ns = stage.answer_time_ns(talk.role);
    let retry_ns = SECOND_NS * stage.rng.between(1, 3) + stage.rng.below(20 * MILLISECOND_NS);
    let late_ns = 5 * SECOND_NS + stage.rng.between(200 * MILLISECOND_NS, 20 * SECOND_NS);
    let course = match stage.rng.weighted(&COURSES) {
        Course::Late if !stage.lasts_until(now_ns + late_ns) => Course::Answered,
        Course::Repeated | Course::RepeatedUnanswered | Course::RepeatedTwiceAnswered
            if !stage.lasts_until(now_ns + retry_ns + SECOND_NS) =>
        {
            Course::Answered
        }
        course => course,
    };
    let answer_at_ns = stage.after(now_ns, answer_ns);
    match course {
        Course::Answered => {
            send_query(stage, &talk, now_ns);
            send_response(stage, &talk, answer_at_ns);
        }
        Course::Unanswered => send_query(stage, &talk, now_ns),
        Course::Repeated => {
            send_query(stage, &talk, now_ns);
            send_query(stage, &talk, now_ns + retry_ns);
            let answer_at_ns = stage.after(now_ns + retry_ns, answer_ns % SECOND_NS);
            send_response(stage, &talk, answer_at_ns);
        }
        Course::RepeatedUnanswered => {
            send_query(stage, &talk, now_ns);
            send_query(stage, &talk, now_ns + retry_ns);
        }
        Course::RepeatedTwiceAnswered => {
            send_query(stage, &talk, now_ns);
            send_query(stage, &talk, now_ns + retry_ns);
            send_response(
                stage,
                &talk,
                now_ns + retry_ns + answer_ns % (300 * MILLISECOND_NS) + MILLISECOND_NS,
            );
            send_response(stage, &talk, now_ns + retry_ns + 500 * MILLISECOND_NS);
        }
        Course::Late => {
            send_query(stage, &talk, now_ns);
            send_response(stage, &talk, now_ns + late_ns);
        }
        Course::Duplicated => {
            send_query(stage, &talk, now_ns);
            send_response(stage, &talk, answer_at_ns);
            let again_ns = stage.time_ns(MILLISECOND_NS, 1.0);
            let again_at_ns = stage.after(answer_at_ns, again_ns);
            send_response(stage, &talk, again_at_ns);
        }
        Course::Mismatched => send_mismatched(stage, &talk, now_ns, answer_at_ns),
        Course::Orphan => send_response(stage, &talk, now_ns),
    }
}

/// Plans a query and, if `answered`, its response: one packet each.
pub(crate) fn converse_briefly(stage: &mut Stage, now_ns: u64, answered: bool) {
    let mut talk = draw_talk(stage);
    talk.exchange.padded_to_bytes = 0;
    let answer_ns = stage.answer_time_ns(talk.role);
    send_query(stage, &talk, now_ns);
    if answered {
        let at_ns = stage.after(now_ns, answer_ns);
        respond(stage, &talk, at_ns, Delivery::OneDatagram);
    }
}

fn draw_talk(stage: &mut Stage) -> Talk {
    let role = stage.role();
    let forged = role == Role::Server && stage.rng.chance(stage.config.random_sources);
    let parties = if forged {
        stage.addresses.forged(&mut stage.rng, stage.config.random_pool)
    } else {
        stage.parties(role)
    };
    // Some old forwarders ask from port 53.
    let client_port = if stage.rng.chance(0.002) { 53 } else { stage.port() };
    let exchange = draw_exchange(stage, MessageTransport::Udp, role.asked_server());
    Talk { parties, client_port, tags: stage.tags(), exchange, role }
}

fn send_query(stage: &mut Stage, talk: &Talk, at_ns: u64) {
    let ports = (talk.client_port, 53);
    let mut message = std::mem::take(&mut stage.scratch);
    message.clear();
    talk.exchange.write_query(&stage.names, &mut message);
    let facts = talk.exchange.facts(MessageTransport::Udp, ports, None);
    let Parties { client, server } = talk.parties;
    send(stage, at_ns, (client, server), talk.tags, facts, &message);
    stage.scratch = message;
}

/// Sends the response. If it does not fit into UDP, the client repeats the query over TCP.
fn send_response(stage: &mut Stage, talk: &Talk, at_ns: u64) {
    let fragmented = stage.rng.chance(stage.config.fragments);
    let delivery = if fragmented { Delivery::Fragments } else { Delivery::OneDatagram };
    let truncated = respond(stage, talk, at_ns, delivery);
    if truncated && stage.rng.chance(0.9) {
        let pause_ns = stage.round_trip_ns();
        let at_ns = stage.after(at_ns, pause_ns);
        tcp::ask_again(stage, at_ns, talk.role, talk.parties, talk.exchange);
    }
}

/// How a response travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    OneDatagram,
    /// Made long enough for several fragments.
    Fragments,
}

/// Sends the response and returns whether it was truncated.
fn respond(stage: &mut Stage, talk: &Talk, at_ns: u64, delivery: Delivery) -> bool {
    let fragmented = delivery == Delivery::Fragments;
    let mut exchange = talk.exchange;
    if fragmented && exchange.rcode == rcode::NOERROR {
        exchange.padded_to_bytes = 1500 + (exchange.seed % 2000) as u16;
    }
    let limit = match (fragmented, exchange.edns) {
        (true, _) => 4096,
        (false, Some(edns)) => usize::from(edns.udp_size.min(1432)),
        (false, None) => 512,
    };
    let ports = (53, talk.client_port);
    let mut message = std::mem::take(&mut stage.scratch);
    message.clear();
    let written = exchange.write_response(&stage.names, limit, &mut message);
    let facts = exchange.facts(MessageTransport::Udp, ports, Some(written));
    let Parties { client, server } = talk.parties;
    if fragmented {
        send_fragments(stage, at_ns, (server, client), talk.tags, facts, &message);
    } else {
        send(stage, at_ns, (server, client), talk.tags, facts, &message);
    }
    stage.scratch = message;
    written.truncated
}

fn send(
    stage: &mut Stage,
    at_ns: u64,
    way: PacketAddresses,
    tags: VlanTags,
    facts: MessageFacts,
    message: &[u8],
) {
    let envelope = stage.envelope(way.0, way.1, tags);
    let packet = stage.queue.add(at_ns);
    udp(&mut packet.data, &envelope, (facts.src_port, facts.dst_port), message);
    record_ip(&mut packet.facts, &envelope, protocol::UDP);
    packet.facts.messages.push(MessageFacts { bytes: message.len() as u64, ..facts });
}

/// Sends a datagram in fragments: by the usual MTU where it is large, else in halves. One time in
/// four the last fragment arrives first. The message belongs to the fragment that arrives last.
fn send_fragments(
    stage: &mut Stage,
    at_ns: u64,
    way: PacketAddresses,
    tags: VlanTags,
    facts: MessageFacts,
    message: &[u8],
) {
    let envelope = stage.envelope(way.0, way.1, tags);
    let mut datagram = Vec::with_capacity(message.len() + 8);
    udp_datagram(&mut datagram, &envelope, (facts.src_port, facts.dst_port), message);
    let mtu = if envelope.src.is_ipv4() { 1480 } else { 1232 };
    let step = if datagram.len() > mtu { mtu } else { (datagram.len() / 2).next_multiple_of(8) };
    let reversed = stage.rng.chance(0.25);
    let mut starts: Vec<usize> = (0..datagram.len()).step_by(step).collect();
    if reversed {
        starts.reverse();
    }
    let last = starts.len() - 1;
    for (index, start) in starts.into_iter().enumerate() {
        let packet = stage.queue.add(at_ns + 2_000 * index as u64);
        let end = (start + step).min(datagram.len());
        udp_fragment(&mut packet.data, &envelope, &datagram, start..end);
        record_udp_fragment(&mut packet.facts, &envelope);
        if index == last {
            packet.facts.messages.push(MessageFacts { bytes: message.len() as u64, ..facts });
        }
    }
}

/// A response with the query's id and another question, then the right one.
fn send_mismatched(stage: &mut Stage, talk: &Talk, now_ns: u64, answer_at_ns: u64) {
    let mut wrong = *talk;
    wrong.exchange = draw_exchange(stage, MessageTransport::Udp, AskedServer::Resolver);
    wrong.exchange.id = talk.exchange.id;
    wrong.exchange.padded_to_bytes = 0;
    send_query(stage, talk, now_ns);
    respond(stage, &wrong, now_ns + (answer_at_ns - now_ns) / 2, Delivery::OneDatagram);
    send_response(stage, talk, answer_at_ns);
}

/// A lone message, mostly a query to the host, that cannot be parsed after its header.
fn send_malformed(stage: &mut Stage, at_ns: u64) {
    let parties = stage.parties(Role::Server);
    let response = stage.rng.chance(0.2);
    let port = stage.port();
    let (src_port, dst_port) = if response { (53, port) } else { (port, 53) };
    let id = stage.rng.next_u64() as u16;
    let mut message = std::mem::take(&mut stage.scratch);
    message.clear();
    write_malformed(id, response, &mut stage.rng, &mut message);
    let facts = MessageFacts {
        transport: MessageTransport::Udp,
        src_port,
        dst_port,
        id,
        opcode: opcode::QUERY,
        recursion: true,
        response,
        bytes: 0,
        rcode: 0,
        question: None,
        malformed: true,
        edns: None,
        answers: 0,
        authoritative: false,
        truncated: false,
    };
    let tags = stage.tags();
    send(stage, at_ns, (parties.client, parties.server), tags, facts, &message);
    stage.scratch = message;
}
