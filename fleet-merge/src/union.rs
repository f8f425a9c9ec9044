//! The merged window.

use std::collections::BTreeMap;

use pktvisor_api::{Period, SKETCHES_FORMAT, SketchDocument};

use crate::distinct::DistinctUnion;
use crate::document::{self, DocumentError};
use crate::histogram::{self, HistogramSum};
use crate::lists::ListSum;
use crate::rows::{self, Rows};

/// Quantiles of rates do not merge: the rate of a fleet is the sum of its agents' rates in the same
/// second, which no histogram tells.
const RATES: &str = "packets.rates.";

/// Merges documents that it borrows.
#[derive(Debug, Default)]
pub struct FleetMerge<'a> {
    period: Period,
    periods: u32,
    distinct: BTreeMap<&'a str, DistinctUnion>,
    histograms: BTreeMap<&'a str, HistogramSum>,
    lists: BTreeMap<String, ListSum<'a>>,
    /// Agents with a document.
    agents: usize,
    /// Agents of which only the counters are known.
    counters_only: usize,
}

/// The window of a fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetUnion {
    /// The merged window, which can be merged further. The distinct counts, quantiles and lists of its
    /// period are those of the fleet, as far as its agents have sketches.
    pub document: SketchDocument,
    /// Agents that are in all numbers.
    pub agents: usize,
    /// Agents of which only the counters are in it.
    pub counters_only: usize,
    /// The number of agents in each list. Those that cannot look places up are not in lists of places.
    pub agents_in_list: BTreeMap<String, usize>,
}

impl<'a> FleetMerge<'a> {
    /// Adds the window of an agent, unless its document is not valid.
    pub fn add(&mut self, document: &'a SketchDocument) -> Result<(), DocumentError> {
        let rows = rows::of(&document.period);
        document::check(document, &rows)?;
        self.add_period(&document.period, &rows);
        for (path, image) in &document.distinct {
            // It was checked.
            let Some(registers) = image.registers() else { continue };
            let reported = rows.distinct.get(path).copied().unwrap_or(0);
            self.distinct.entry(path).or_default().add(registers, reported);
        }
        for (path, histogram) in &document.histograms {
            self.histograms.entry(path).or_default().add(histogram);
        }
        for (path, entries) in rows.lists {
            if let Some(totals) = document.lists.get(&path) {
                self.lists.entry(path).or_default().add(entries, *totals);
            }
        }
        self.periods = self.periods.max(document.periods);
        self.agents += 1;
        Ok(())
    }

    /// Adds the counters of an agent without sketches.
    pub fn add_counters(&mut self, period: &Period) {
        self.add_period(period, &rows::of(period));
        self.counters_only += 1;
    }

    fn add_period(&mut self, period: &Period, rows: &Rows<'_>) {
        let is_first = self.agents + self.counters_only == 0;
        let (ours, theirs) = (&mut self.period.period, &period.period);
        ours.start_ts = if is_first { theirs.start_ts } else { ours.start_ts.min(theirs.start_ts) };
        ours.length = ours.length.max(theirs.length);
        for (sum, number) in rows::of_mut(&mut self.period).numbers.into_iter().zip(&rows.numbers) {
            *sum = sum.saturating_add(*number);
        }
    }

    /// The merged window with lists of at most `length` entries.
    pub fn finish(self, length: usize) -> FleetUnion {
        let mut union = FleetUnion {
            document: SketchDocument {
                format: SKETCHES_FORMAT,
                periods: self.periods,
                period: self.period,
                ..SketchDocument::default()
            },
            agents: self.agents,
            counters_only: self.counters_only,
            agents_in_list: BTreeMap::new(),
        };
        let document = &mut union.document;
        let mut rows = rows::of_mut(&mut document.period);
        for (path, distinct) in self.distinct {
            if let Some(row) = rows.distinct.get_mut(path) {
                **row = distinct.estimate();
                document.distinct.insert(path.to_owned(), distinct.image());
            }
        }
        for (path, sum) in self.histograms {
            let histogram = sum.histogram();
            if let Some(row) = rows.quantiles.get_mut(path) {
                **row = histogram::quantiles(&histogram).filter(|_| !path.starts_with(RATES));
                document.histograms.insert(path.to_owned(), histogram);
            }
        }
        for (path, sum) in self.lists {
            union.agents_in_list.insert(path.clone(), sum.agents());
            let (entries, totals) = sum.finish(length);
            if let Some(row) = rows.lists.get_mut(&path) {
                **row = entries;
                document.lists.insert(path, totals);
            }
        }
        let period = &mut document.period;
        period.sampling.rate = match period.dns.wire_packets.total {
            0 => 1.0,
            messages => (period.sampling.messages as f64 / messages as f64).min(1.0),
        };
        union
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_api::{
        ExponentialBucket, ExponentialHistogram, HLL_REGISTERS, HllImage, ListTotals, TopEntry,
    };

    use super::*;

    const CLIENTS: &str = "dns.in.clients";
    const TIMES: &str = "dns.xact.in.quantiles_us";
    const NAMES: &str = "dns.top_qname2";

    /// The document of an agent whose clients fill these registers.
    fn document(queries: u64, registers: std::ops::Range<usize>) -> SketchDocument {
        let mut filled = [0; HLL_REGISTERS];
        filled[registers.clone()].fill(1);
        let mut document = SketchDocument { format: SKETCHES_FORMAT, periods: 5, ..Default::default() };
        let dns = &mut document.period.dns;
        dns.wire_packets.total = queries;
        dns.inbound.clients = registers.len() as u64;
        dns.top_qname2 = vec![TopEntry {
            name: "example.com".to_owned(),
            estimate: queries,
            lower: Some(queries),
            upper: Some(queries),
            scaled: None,
        }];
        document.period.packets.sizes = [queries; 7];
        document.period.sampling.messages = queries;
        document.distinct.insert(CLIENTS.to_owned(), HllImage::of_registers(&filled));
        let buckets = vec![ExponentialBucket { index: 8 * 256, count: queries }];
        let histogram = ExponentialHistogram { scale: 8, count: queries, buckets, ..Default::default() };
        document.histograms.insert(TIMES.to_owned(), histogram);
        document.lists.insert(NAMES.to_owned(), ListTotals { absent_upper: 1 });
        document
    }

    #[test]
    fn agents_that_saw_the_same_clients_count_them_once() {
        let documents = [document(10, 0..100), document(5, 50..150), document(1, 0..0)];
        let mut merge = FleetMerge::default();
        documents.iter().for_each(|document| merge.add(document).unwrap());
        let union = merge.finish(10);
        let dns = &union.document.period.dns;
        assert_eq!((union.agents, union.counters_only), (3, 0));
        assert_eq!((dns.wire_packets.total, union.document.period.packets.sizes), (16, [16; 7]));
        assert!((149..=152).contains(&dns.inbound.clients), "{}", dns.inbound.clients);
        assert_eq!(dns.xact.inbound.quantiles_us.unwrap().p99, 256);
        assert_eq!((dns.top_qname2[0].estimate, dns.top_qname2[0].upper), (16, Some(16)));
        assert_eq!(union.document.lists[NAMES], ListTotals { absent_upper: 3 });
        assert_eq!(union.document.period.sampling.rate, 1.0);
    }

    #[test]
    fn a_union_merges_further() {
        let documents = [document(10, 0..100), document(5, 50..150), document(7, 100..300)];
        let merged = |parts: &[&SketchDocument]| {
            let mut merge = FleetMerge::default();
            parts.iter().for_each(|part| merge.add(part).unwrap());
            merge.finish(10).document
        };
        let [first, second, third] = documents.each_ref();
        assert_eq!(merged(&[&merged(&[first, second]), third]), merged(&[first, second, third]));
    }

    #[test]
    fn an_agent_without_sketches_adds_its_counters_alone() {
        let (with, without) = (document(10, 0..100), document(5, 50..150));
        let mut merge = FleetMerge::default();
        merge.add(&with).unwrap();
        merge.add_counters(&without.period);
        let union = merge.finish(10);
        let dns = &union.document.period.dns;
        assert_eq!((union.agents, union.counters_only), (1, 1));
        assert_eq!((dns.wire_packets.total, dns.inbound.clients, dns.top_qname2[0].estimate), (15, 100, 10));
    }

    #[test]
    fn a_document_that_is_not_valid_adds_nothing() {
        let good = document(10, 0..100);
        let mut later = good.clone();
        later.format = 2;
        let mut cut = good.clone();
        cut.distinct.insert(CLIENTS.to_owned(), HllImage(vec![10, 1, 7]));
        let mut scaled = good.clone();
        scaled.histograms.get_mut(TIMES).unwrap().scale = 21;
        let mut long = good.clone();
        long.period.dns.top_qname2 = vec![TopEntry::default(); 1001];
        let mut many = good.clone();
        many.lists = (0..300).map(|n| (n.to_string(), ListTotals::default())).collect();
        let mut merge = FleetMerge::default();
        for (bad, error) in [
            (&later, DocumentError::Format(2)),
            (&cut, DocumentError::Image(CLIENTS.to_owned())),
            (&scaled, DocumentError::Histogram(TIMES.to_owned())),
            (&long, DocumentError::LongList(NAMES.to_owned())),
            (&many, DocumentError::ManySketches),
        ] {
            assert_eq!(merge.add(bad), Err(error));
        }
        assert_eq!(merge.finish(10), FleetMerge::default().finish(10));
    }

    #[test]
    fn paths_that_no_row_has_are_left_out() {
        let mut odd = document(10, 0..100);
        let image = odd.distinct[CLIENTS].clone();
        odd.distinct.insert("no.such.row".to_owned(), image);
        odd.lists.insert("no.such.list".to_owned(), ListTotals::default());
        let mut merge = FleetMerge::default();
        merge.add(&odd).unwrap();
        let union = merge.finish(10);
        assert_eq!(union.document.distinct.len(), 1);
        assert_eq!(union.agents_in_list, [(NAMES.to_owned(), 1)].into());
    }
}
