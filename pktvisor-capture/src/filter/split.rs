//! Long chains: `host A or host B or ...` over thousands of terms.
//!
//! libpcap needs time with the square of a program's length and more, seconds for some hundred
//! hosts. A chain of terms that stand for themselves means the same when it is compiled in pieces,
//! each tried only where the one before has left the verdict open. What is not clearly such a chain
//! is not taken apart: `or` and `and` have the same precedence, a term without a keyword has that
//! of the term before, and `vlan` moves all that follows it (pcap-filter(7)).

use super::classic::BpfInsn;

/// Chains of so many terms are taken apart.
const TERMS_MIN: usize = 48;
/// Terms of a piece: short enough for jumps of 8 bits, within which libpcap is fast.
const TERMS_OF_PIECE: usize = 16;

/// How the verdicts of the pieces of a chain combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Junction {
    /// One that passes is enough.
    Or,
    /// All must pass.
    And,
}

/// A chain in pieces, each an expression of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pieces {
    pub(super) junction: Junction,
    pub(super) expressions: Vec<String>,
}

/// Keywords that a term can begin with which says all of itself.
const HEADS: [&str; 46] = [
    "aarp",
    "ah",
    "arp",
    "atalk",
    "broadcast",
    "carp",
    "decnet",
    "dst",
    "esp",
    "ether",
    "fddi",
    "gateway",
    "greater",
    "host",
    "icmp",
    "icmp6",
    "igmp",
    "igrp",
    "ip",
    "ip6",
    "ipx",
    "iso",
    "len",
    "less",
    "link",
    "multicast",
    "net",
    "netbeui",
    "pim",
    "port",
    "portrange",
    "ppp",
    "proto",
    "protochain",
    "radio",
    "rarp",
    "sctp",
    "slip",
    "src",
    "stp",
    "tcp",
    "tr",
    "udp",
    "vrrp",
    "wlan",
    "llc",
];

/// Keywords that change what the terms behind them mean.
const MOVING: [&str; 6] = ["vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan"];

/// Whether a word occurs in an expression.
pub(super) fn mentions(expression: &str, word: &str) -> bool {
    tokens(expression).any(|token| token.text == word)
}

/// Takes a long chain apart; `None` if it is short, or something else.
pub(super) fn pieces(expression: &str) -> Option<Pieces> {
    if tokens(expression).any(|token| MOVING.contains(&token.text)) {
        return None;
    }
    pieces_of(expression)
}

fn pieces_of(expression: &str) -> Option<Pieces> {
    let chain = chain(expression)?;
    if chain.terms.len() >= TERMS_MIN {
        let word = match chain.junction {
            Junction::Or => " or ",
            Junction::And => " and ",
        };
        let expressions = chain.terms.chunks(TERMS_OF_PIECE).map(|piece| piece.join(word)).collect();
        return Some(Pieces { junction: chain.junction, expressions });
    }
    // One long chain in parentheses, alone or beside what must be true as well.
    let long = chain.terms.iter().position(|term| term.len() * 2 > expression.len())?;
    let inner = in_parentheses(chain.terms.get(long)?)?;
    if chain.terms.len() > 1 && chain.junction == Junction::Or {
        return None;
    }
    let mut inner = pieces_of(inner)?;
    for piece in &mut inner.expressions {
        let wrapped = format!("({piece})");
        let terms = chain.terms.iter().enumerate();
        let terms: Vec<&str> =
            terms.map(|(index, term)| if index == long { wrapped.as_str() } else { *term }).collect();
        *piece = terms.join(" and ");
    }
    Some(inner)
}

struct Chain<'a> {
    junction: Junction,
    terms: Vec<&'a str>,
}

/// The terms of an expression, where they stand for themselves and all junctions between them are
/// the same.
fn chain(expression: &str) -> Option<Chain<'_>> {
    let (mut terms, mut junction, mut start) = (Vec::new(), None, 0);
    for token in tokens(expression).filter(|token| token.depth == 0) {
        let this = match token.text {
            "or" | "||" => Junction::Or,
            "and" | "&&" => Junction::And,
            _ => continue,
        };
        if junction.is_some_and(|junction| junction != this) {
            return None;
        }
        junction = Some(this);
        terms.push(expression.get(start..token.start)?.trim());
        start = token.start + token.text.len();
    }
    terms.push(expression.get(start..)?.trim());
    let stand_alone = terms.iter().all(|term| {
        let mut words = tokens(term).skip_while(|token| matches!(token.text, "not" | "!" | "("));
        words.next().is_some_and(|first| HEADS.contains(&first.text))
    });
    stand_alone.then_some(Chain { junction: junction.unwrap_or(Junction::And), terms })
}

/// The text within parentheses that enclose a whole term.
fn in_parentheses(term: &str) -> Option<&str> {
    let inner = term.strip_prefix('(')?.strip_suffix(')')?;
    // In `(a) or (b)` they are two.
    let closes_early = tokens(term).skip(1).any(|token| token.depth == 0 && token.start + 1 < term.len());
    (!closes_early).then_some(inner)
}

struct Token<'a> {
    text: &'a str,
    start: usize,
    /// In how many parentheses and brackets it stands.
    depth: usize,
}

/// Words, operators and parentheses.
fn tokens(expression: &str) -> impl Iterator<Item = Token<'_>> {
    let bytes = expression.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let start = at;
        let first = *bytes.get(at)?;
        at += match first {
            b'&' | b'|' if bytes.get(at + 1) == Some(&first) => 2,
            b'!' if bytes.get(at + 1) == Some(&b'=') => 2,
            _ if is_of_word(first) => bytes[at..].iter().take_while(|byte| is_of_word(**byte)).count(),
            _ => 1,
        };
        if matches!(first, b')' | b']') {
            depth = depth.saturating_sub(1);
        }
        let token = Token { text: expression.get(start..at)?, start, depth };
        if matches!(first, b'(' | b'[') {
            depth += 1;
        }
        Some(token)
    })
}

fn is_of_word(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"()[]!&|<>=+*^".contains(&byte)
}

/// Puts the programs of pieces one after the other: where one leaves the verdict open, the next one
/// goes on. `None` if a program ends otherwise than with a constant, which libpcap's do not.
pub(super) fn join(programs: Vec<Vec<BpfInsn>>, junction: Junction) -> Option<Vec<BpfInsn>> {
    const RETURN_CONSTANT: u16 = 0x06;
    const RETURN_A: u16 = 0x16;
    const JUMP: u16 = 0x05;
    let last = programs.len().saturating_sub(1);
    let mut joined = Vec::new();
    for (index, mut program) in programs.into_iter().enumerate() {
        let len = program.len();
        for (place, insn) in program.iter_mut().enumerate().filter(|_| index < last) {
            let is_open = match junction {
                Junction::Or => insn.k == 0,
                Junction::And => insn.k != 0,
            };
            match insn.code {
                RETURN_A => return None,
                RETURN_CONSTANT if is_open => {
                    let k = u32::try_from(len - place - 1).ok()?;
                    *insn = BpfInsn { code: JUMP, jt: 0, jf: 0, k };
                }
                _ => {}
            }
        }
        joined.append(&mut program);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain_of(count: usize, junction: &str) -> String {
        (0..count).map(|n| format!("host 10.0.0.{n}")).collect::<Vec<_>>().join(junction)
    }

    #[test]
    fn a_long_chain_is_taken_apart_in_order() {
        let found = pieces(&chain_of(50, " or ")).unwrap();
        assert_eq!((found.junction, found.expressions.len()), (Junction::Or, 4));
        assert_eq!(found.expressions.join(" or "), chain_of(50, " or "));
        assert_eq!(pieces(&format!("not {}", chain_of(50, " && not "))).unwrap().junction, Junction::And);
    }

    #[test]
    fn a_chain_in_parentheses_keeps_the_terms_beside_it() {
        let found = pieces(&format!("port 53 and ({}) and not ip6", chain_of(48, " or "))).unwrap();
        assert_eq!(found.junction, Junction::Or);
        assert!(found.expressions[2].starts_with("port 53 and (host 10.0.0.32 or "));
        assert!(found.expressions[2].ends_with("host 10.0.0.47) and not ip6"));
    }

    #[test]
    fn an_expression_that_is_not_clearly_a_chain_stays_whole() {
        let long = chain_of(60, " or ");
        for whole in [
            chain_of(10, " or "),
            format!("{long} and port 53"),
            format!("{long} or vlan 7"),
            format!("{long} or 10.1.1.1"),
            format!("({long}) or (10.1.1.1)"),
            format!("not ({long})"),
            format!("udp or ({long})"),
            format!("({long}) and (udp) or (tcp)"),
            String::new(),
        ] {
            assert_eq!(pieces(&whole), None, "{whole}");
        }
    }

    #[test]
    fn words_are_found_as_words() {
        assert!(mentions("udp and(vlan)", "vlan") && mentions("vlan&&ip", "vlan"));
        assert!(!mentions("host vlan.example", "vlan"));
    }
}
