//! The settings of the analysis, and the databases of places.

use std::path::PathBuf;
use std::time::Duration;

use pktvisor_analysis as analysis;
use pktvisor_analysis::geo::{Geo, GeoError};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::sampling::SampleRate;

/// How DNS is analysed, and where places are looked up. Files and interfaces use the same settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PipelineConfig {
    /// Ports whose traffic is DNS.
    pub dns_ports: DnsPorts,
    /// How long a query waits for its response.
    pub dns_timeout: Duration,
    /// Ceiling of the share of DNS flows that are analysed, 0 to 100.
    pub max_deep_sample_pct: u8,
    /// MaxMind city database.
    pub geo_city: Option<PathBuf>,
    /// MaxMind ASN database.
    pub geo_asn: Option<PathBuf>,
}

impl PipelineConfig {
    /// The largest share of DNS flows that is analysed.
    pub(crate) fn sample_rate(&self) -> SampleRate {
        SampleRate::percent(self.max_deep_sample_pct)
    }

    /// The settings of an analysis for these HOST networks.
    pub(crate) fn analysis_settings(&self, host: HostSet) -> analysis::AnalysisSettings<HostSet> {
        analysis::AnalysisSettings {
            dns_ports: self.dns_ports,
            sample_rate: self.sample_rate(),
            transaction_timeout_ns: u64::try_from(self.dns_timeout.as_nanos()).unwrap_or(u64::MAX),
            host,
        }
    }

    /// As [`open_geo`](Self::open_geo), for reports, which look up addresses on other threads than the
    /// capture.
    ///
    /// # Errors
    ///
    /// A database cannot be read.
    pub(crate) fn open_report_geo(&self) -> Result<Option<Geo>, GeoError> {
        let geo = Geo::open_quietly(self.geo_city.as_deref(), self.geo_asn.as_deref())?;
        Ok((!geo.is_empty()).then_some(geo))
    }

    /// Opens the databases; `None` if none is given.
    ///
    /// # Errors
    ///
    /// A database cannot be read.
    pub(crate) fn open_geo(&self) -> Result<Option<Geo>, GeoError> {
        let geo = Geo::open(self.geo_city.as_deref(), self.geo_asn.as_deref())?;
        Ok((!geo.is_empty()).then_some(geo))
    }
}
