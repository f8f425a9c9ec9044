//! The report of a period in the types of the API.

use std::cell::RefCell;

use parking_lot::Mutex;
use pktvisor_analysis::geo::Geo;
use pktvisor_api as api;

use crate::context::{Context, PartyLists};
use crate::listed::{AbsentItems, ListLength, ListQuery};
use crate::period::PeriodRecord;
use crate::sketches::CollectedSketches;

impl PeriodRecord {
    /// The document of this period. The same contents give the same bytes.
    pub(crate) fn report(&self, length: ListLength, geo: Option<&Mutex<Geo>>) -> api::Period {
        self.report_with(ListQuery { length, absent: AbsentItems::Ignored }, geo, None)
    }

    /// The document of this period with its sketches, as one of `periods` merged.
    pub(crate) fn sketches(
        &self,
        length: ListLength,
        geo: Option<&Mutex<Geo>>,
        periods: usize,
    ) -> api::SketchDocument {
        let sketches = RefCell::default();
        let lists = ListQuery { length, absent: AbsentItems::Bounded };
        let period = self.report_with(lists, geo, Some(&sketches));
        sketches.into_inner().document(period, periods)
    }

    fn report_with(
        &self,
        lists: ListQuery,
        geo: Option<&Mutex<Geo>>,
        sketches: Option<&RefCell<CollectedSketches>>,
    ) -> api::Period {
        let sampling = api::Sampling { rate: self.sampling_rate(), messages: self.messages };
        let (parties, codes) = (PartyLists::default(), self.dns.code_sums());
        let context = Context {
            counters: &self.counters,
            codes: &codes,
            not_analysed: self.not_sampled() + self.outcomes.lost,
            sampling_rate: sampling.rate,
            lists,
            geo,
            parties: &parties,
            sketches,
            path: String::new(),
        };
        let mut packets = self.packets.report(&context.within("packets"));
        if packets.received + packets.sent == 0 {
            packets.rates = api::PacketRates::default();
        }
        api::Period {
            period: api::PeriodSpan { start_ts: self.start_s as i64, length: self.length_s as i64 },
            packets,
            dns: self.dns.report(&context.within("dns")),
            sampling,
        }
    }

    /// Analysed share of the DNS messages: messages are what the lists count, and what packets
    /// completed them is not known of every packet.
    fn sampling_rate(&self) -> f64 {
        match self.counters.dns.total() {
            0 => 1.0,
            // Frames without a record (`tap`) are cut by time, which may place one before it was
            // counted.
            all => (self.messages as f64 / all as f64).min(1.0),
        }
    }
}
