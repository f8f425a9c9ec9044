//! Whether bytes look like the beginning of a DNS message (RFC 1035 section 4.1.1).
//!
//! Used if message boundaries are unknown. The likeliest mistake is to read the first bytes of a
//! message as its length. Then the flags are at the place of the id, and QDCOUNT, usually 1, is at
//! the place of the flags. A query with rcode 1 does not exist, so this mistake is recognised.

/// RFC 1035 section 4.1.1: no message is shorter than its header.
pub(super) const HEADER_LEN: usize = 12;

/// The highest assigned opcode (RFC 1035, 1996, 2136, 8490).
const OPCODE_MAX: u8 = 6;
/// The shortest question: the root name, type and class (RFC 1035 section 4.1.2).
const QUESTION_LEN_MIN: u32 = 5;
/// The shortest record: the root name, type, class, TTL and RDLENGTH (RFC 1035 section 4.1.3).
const RECORD_LEN_MIN: u32 = 11;

/// Whether a message of `len` bytes may begin with `header`.
pub(super) fn may_begin_message(len: u16, header: &[u8; HEADER_LEN]) -> bool {
    let &[_, _, flags_high, flags_low, counts @ ..] = header;
    let is_query = flags_high & 0x80 == 0;
    let opcode = (flags_high >> 3) & 0x0f;
    let rcode = flags_low & 0x0f;
    let count = |index: usize| u32::from(u16::from_be_bytes([counts[2 * index], counts[2 * index + 1]]));
    let [questions, answers, authorities, additionals] = [0, 1, 2, 3].map(count);
    let len_min = HEADER_LEN as u32
        + QUESTION_LEN_MIN * questions
        + RECORD_LEN_MIN * (answers + authorities + additionals);
    // RFC 9619: at most one question.
    opcode <= OPCODE_MAX
        && questions <= 1
        && (!is_query || rcode == 0)
        && (!is_query || opcode != 0 || answers == 0)
        && u32::from(len) >= len_min
}
