//! What every message is counted by, of one direction: its header, its codes and its EDNS options.
//!
//! The second 16 bits of the header are counted whole, in two halves, with one addition each. The
//! report adds up the counts of every flag, operation code and response code from them.

use pktvisor_analysis::message::Message;

use crate::codes::CodeCounts;
use crate::frequent::ListLimits;
use crate::remember::Remember;

/// Bits of the header's third octet (RFC 1035 section 4.1.1).
mod high {
    pub(super) const QR: u8 = 0x80;
    pub(super) const AA: u8 = 0x04;
    pub(super) const TC: u8 = 0x02;
    pub(super) const RD: u8 = 0x01;
}

/// Bits of the header's fourth octet (RFC 1035 section 4.1.1, RFC 4035 section 3.2).
mod low {
    pub(super) const RA: u8 = 0x80;
    pub(super) const AD: u8 = 0x20;
    pub(super) const CD: u8 = 0x10;
    pub(super) const RCODE: u8 = 0x0f;
}

/// Messages by each half of the header's flags.
#[derive(Clone, Debug)]
struct HeaderCounts {
    high: [u64; 256],
    low_of_queries: [u64; 256],
    low_of_replies: [u64; 256],
}

impl HeaderCounts {
    const NONE: Self = Self { high: [0; 256], low_of_queries: [0; 256], low_of_replies: [0; 256] };
}

impl Default for HeaderCounts {
    fn default() -> Self {
        Self::NONE
    }
}

/// EDNS options of a message, as bits.
mod option {
    pub(super) const DNSSEC_OK: usize = 1;
    pub(super) const CLIENT_SUBNET: usize = 2;
    pub(super) const COOKIE: usize = 4;
}

/// Messages of one direction by header and codes.
#[derive(Clone, Debug)]
pub(super) struct MessageCodes {
    /// `None` before the first message.
    headers: Option<Box<HeaderCounts>>,
    /// Messages with EDNS by their options: queries, replies.
    edns: [[u64; 8]; 2],
    pub(super) rcodes: CodeCounts,
    pub(super) qtypes: CodeCounts,
    of_class_in: u64,
    other_classes: CodeCounts,
}

/// RFC 1035 section 3.2.4.
const CLASS_IN: u16 = 1;

impl MessageCodes {
    /// Counts a message.
    #[inline(always)]
    pub(super) fn message(&mut self, message: &Message<'_>) {
        let [high, low] = message.header_flags();
        let is_response = high & high::QR != 0;
        let headers = self.headers.get_or_insert_with(Box::default);
        headers.high[usize::from(high)] += 1;
        let lows = if is_response { &mut headers.low_of_replies } else { &mut headers.low_of_queries };
        lows[usize::from(low)] += 1;
        if let Some(edns) = &message.edns {
            let options = usize::from(edns.dnssec_ok) * option::DNSSEC_OK
                + usize::from(edns.client_subnet.is_some()) * option::CLIENT_SUBNET
                + usize::from(edns.has_cookie) * option::COOKIE;
            self.edns[usize::from(is_response)][options] += 1;
        }
        if is_response {
            self.rcodes.add(message.rcode(), 1);
        }
        if let Some(question) = &message.question {
            self.qtypes.add(question.qtype, 1);
            match question.qclass {
                CLASS_IN => self.of_class_in += 1,
                qclass => self.other_classes.add(qclass, 1),
            }
        }
    }

    fn headers(&self) -> &HeaderCounts {
        static NONE: HeaderCounts = HeaderCounts::NONE;
        self.headers.as_deref().unwrap_or(&NONE)
    }

    fn queries_with(&self, bit: u8) -> u64 {
        sum(&self.headers().low_of_queries, |low| low & bit != 0)
    }

    fn replies_with(&self, bit: u8) -> u64 {
        sum(&self.headers().low_of_replies, |low| low & bit != 0)
    }

    fn high_with(&self, mask: u8, bits: u8) -> u64 {
        sum(&self.headers().high, |high| high & mask == bits)
    }

    pub(super) fn queries(&self) -> u64 {
        self.high_with(high::QR, 0)
    }

    pub(super) fn replies(&self) -> u64 {
        self.high_with(high::QR, high::QR)
    }

    pub(super) fn rd_queries(&self) -> u64 {
        self.high_with(high::QR | high::RD, high::RD)
    }

    pub(super) fn ad_queries(&self) -> u64 {
        self.queries_with(low::AD)
    }

    pub(super) fn cd_queries(&self) -> u64 {
        self.queries_with(low::CD)
    }

    pub(super) fn aa_replies(&self) -> u64 {
        self.high_with(high::QR | high::AA, high::QR | high::AA)
    }

    pub(super) fn tc_replies(&self) -> u64 {
        self.high_with(high::QR | high::TC, high::QR | high::TC)
    }

    pub(super) fn ra_replies(&self) -> u64 {
        self.replies_with(low::RA)
    }

    pub(super) fn ad_replies(&self) -> u64 {
        self.replies_with(low::AD)
    }

    /// Replies with this response code in the header.
    pub(super) fn replies_of(&self, rcode: u8) -> u64 {
        sum(&self.headers().low_of_replies, |low| low & low::RCODE == rcode)
    }

    /// Messages by operation code.
    pub(super) fn opcodes(&self) -> CodeCounts {
        let mut opcodes = CodeCounts::default();
        for (high, count) in self.headers().high.iter().enumerate().filter(|(_, count)| **count > 0) {
            opcodes.add(high as u16 >> 3 & 0xf, *count);
        }
        opcodes
    }

    /// Messages by the class of their first question.
    pub(super) fn qclasses(&self) -> CodeCounts {
        let mut qclasses = self.other_classes.clone();
        if self.of_class_in > 0 {
            qclasses.add(CLASS_IN, self.of_class_in);
        }
        qclasses
    }

    pub(super) fn edns_queries(&self) -> u64 {
        self.edns[0].iter().sum()
    }

    pub(super) fn edns_replies(&self) -> u64 {
        self.edns[1].iter().sum()
    }

    pub(super) fn do_queries(&self) -> u64 {
        self.with_option(0, option::DNSSEC_OK)
    }

    pub(super) fn ecs_queries(&self) -> u64 {
        self.with_option(0, option::CLIENT_SUBNET)
    }

    pub(super) fn cookie_queries(&self) -> u64 {
        self.with_option(0, option::COOKIE)
    }

    pub(super) fn cookie_replies(&self) -> u64 {
        self.with_option(1, option::COOKIE)
    }

    fn with_option(&self, is_response: usize, option: usize) -> u64 {
        let counts = self.edns[is_response].iter().enumerate();
        counts.filter(|(options, _)| options & option != 0).map(|(_, count)| count).sum()
    }
}

/// Messages of several directions by header and option.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CodeSums {
    pub(super) aa_replies: u64,
    pub(super) ad_replies: u64,
    pub(super) tc_replies: u64,
    pub(super) edns_queries: u64,
    pub(super) edns_replies: u64,
    pub(super) do_queries: u64,
    pub(super) ecs_queries: u64,
}

impl CodeSums {
    /// The sums of these directions.
    pub(super) fn of(directions: [&MessageCodes; 3]) -> Self {
        let sum = |count: fn(&MessageCodes) -> u64| directions.into_iter().map(count).sum();
        Self {
            aa_replies: sum(MessageCodes::aa_replies),
            ad_replies: sum(MessageCodes::ad_replies),
            tc_replies: sum(MessageCodes::tc_replies),
            edns_queries: sum(MessageCodes::edns_queries),
            edns_replies: sum(MessageCodes::edns_replies),
            do_queries: sum(MessageCodes::do_queries),
            ecs_queries: sum(MessageCodes::ecs_queries),
        }
    }
}

fn sum(counts: &[u64; 256], is_wanted: impl Fn(u8) -> bool) -> u64 {
    (0..=u8::MAX).zip(counts).filter(|(octet, _)| is_wanted(*octet)).map(|(_, count)| count).sum()
}

fn add<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(*count);
    }
}

fn take<const N: usize>(counts: &mut [u64; N], earlier: &[u64; N]) {
    for (count, earlier) in counts.iter_mut().zip(earlier) {
        *count = count.saturating_sub(*earlier);
    }
}

impl Remember for MessageCodes {
    fn begin() -> Self {
        Self {
            headers: None,
            edns: [[0; 8]; 2],
            rcodes: CodeCounts::begin(),
            qtypes: CodeCounts::begin(),
            of_class_in: 0,
            other_classes: CodeCounts::begin(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.add_numbers(other);
        Remember::merge(&mut self.rcodes, &other.rcodes);
        Remember::merge(&mut self.qtypes, &other.qtypes);
        Remember::merge(&mut self.other_classes, &other.other_classes);
    }

    fn shrink(&mut self, limits: ListLimits) {
        Remember::shrink(&mut self.rcodes, limits);
        Remember::shrink(&mut self.qtypes, limits);
        Remember::shrink(&mut self.other_classes, limits);
    }

    fn baseline(&self) -> Self {
        let mut baseline = Self::begin();
        baseline.add_numbers(self);
        baseline.rcodes = self.rcodes.baseline();
        baseline.qtypes = self.qtypes.baseline();
        baseline.other_classes = self.other_classes.baseline();
        baseline
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        for baseline in baselines {
            self.of_class_in = self.of_class_in.saturating_sub(baseline.of_class_in);
            if let (Some(ours), Some(earlier)) = (&mut self.headers, &baseline.headers) {
                take(&mut ours.high, &earlier.high);
                take(&mut ours.low_of_queries, &earlier.low_of_queries);
                take(&mut ours.low_of_replies, &earlier.low_of_replies);
            }
            for (ours, earlier) in self.edns.iter_mut().zip(&baseline.edns) {
                take(ours, earlier);
            }
        }
        self.rcodes.subtract(&baselines.iter().map(|baseline| &baseline.rcodes).collect::<Vec<_>>());
        self.qtypes.subtract(&baselines.iter().map(|baseline| &baseline.qtypes).collect::<Vec<_>>());
        let classes: Vec<_> = baselines.iter().map(|baseline| &baseline.other_classes).collect();
        self.other_classes.subtract(&classes);
    }

    fn add_numbers(&mut self, other: &Self) {
        self.of_class_in = self.of_class_in.saturating_add(other.of_class_in);
        if let Some(theirs) = &other.headers {
            let ours = self.headers.get_or_insert_with(Box::default);
            add(&mut ours.high, &theirs.high);
            add(&mut ours.low_of_queries, &theirs.low_of_queries);
            add(&mut ours.low_of_replies, &theirs.low_of_replies);
        }
        for (ours, theirs) in self.edns.iter_mut().zip(&other.edns) {
            add(ours, theirs);
        }
    }
}
