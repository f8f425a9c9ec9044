//! Delivers what waits, the oldest first, and reports what happens to it.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use tokio::time::sleep;

use super::{PushSettings, Shared};
use crate::Temporality;
use crate::backoff::PushBackoff;
use crate::delta;
use crate::queue::WaitingSnapshot;
use crate::transport::{Accepted, CollectorConnection, PushError, Remedy};

pub(super) struct SnapshotDelivery<'a> {
    settings: &'a PushSettings,
    shared: &'a Shared,
    backoff: PushBackoff,
    /// What the collector accepted last, from which the next delta is made.
    accepted: Option<Bytes>,
    /// What the log says at the moment.
    logged: Logged,
}

/// What the log says. Each sentence appears once, until something else happens.
#[derive(Debug, Default)]
struct Logged {
    /// Why the collector does not take requests, since when the count of snapshots given up was this.
    outage: Option<(String, u64)>,
    /// Why it rejected points.
    rejection: Option<String>,
    /// Whether it has accepted anything.
    has_accepted: bool,
}

impl<'a> SnapshotDelivery<'a> {
    pub(super) fn new(settings: &'a PushSettings, shared: &'a Shared) -> Self {
        Self { settings, shared, backoff: PushBackoff::default(), accepted: None, logged: Logged::default() }
    }

    /// Delivers until the agent ends; then once more what waits, without further attempts.
    ///
    /// # Errors
    ///
    /// Why something is left at the end, as the end of a sentence.
    pub(super) async fn deliver(&mut self) -> Result<(), String> {
        loop {
            match self.deliver_all().await {
                Ok(()) => {
                    self.backoff.reset();
                    if self.shared.is_finishing() {
                        return Ok(());
                    }
                    self.shared.pushed.notified().await;
                }
                Err(error) if self.shared.is_finishing() => return Err(error.reason),
                Err(error) => {
                    let after = match error.remedy {
                        Remedy::GiveUp => continue,
                        Remedy::TryAgain { after } => after,
                        Remedy::Reconnect => None,
                    };
                    tokio::select! {
                        () = sleep(self.backoff.next(after)) => {}
                        () = self.shared.finishing.notified() => {}
                    }
                }
            }
        }
    }

    /// Sends all that waits over one connection, or over another one if the collector closes it.
    async fn deliver_all(&mut self) -> Result<(), PushError> {
        let mut connection = None;
        let mut accepted_over_it = 0_u32;
        while let Some(waiting) = self.shared.oldest() {
            match self.attempt(&mut connection, &waiting).await {
                Ok(accepted) => {
                    accepted_over_it += 1;
                    self.record_accepted(waiting, accepted);
                }
                Err(error) if error.remedy == Remedy::Reconnect && accepted_over_it > 0 => {
                    connection = None;
                    accepted_over_it = 0;
                }
                Err(error) => {
                    self.record_failure(&waiting, &error);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        connection: &mut Option<CollectorConnection>,
        waiting: &WaitingSnapshot,
    ) -> Result<Accepted, PushError> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(CollectorConnection::open(&self.settings.collector).await?),
        };
        connection.send(self.encoded(waiting)).await
    }

    /// The request as it is sent.
    fn encoded(&self, waiting: &WaitingSnapshot) -> Bytes {
        match self.settings.temporality {
            Temporality::Cumulative => waiting.request.clone(),
            Temporality::Delta => {
                let mut request = decoded(&waiting.request);
                let accepted = self.accepted.as_ref().map(decoded);
                delta::subtract(&mut request, accepted.as_ref());
                request.encode_to_vec().into()
            }
        }
    }

    fn record_accepted(&mut self, waiting: WaitingSnapshot, accepted: Accepted) {
        self.shared.statistics.count_accepted(accepted.rejected_points);
        self.shared.remove(waiting.number);
        if self.settings.temporality == Temporality::Delta {
            self.accepted = Some(waiting.request);
        }
        self.log_accepted(accepted);
    }

    fn log_accepted(&mut self, accepted: Accepted) {
        let endpoint = self.settings.collector.endpoint();
        if let Some((_, before)) = self.logged.outage.take() {
            let given_up = self.shared.statistics.given_up().saturating_sub(before);
            tracing::info!(
                "the OpenTelemetry collector {endpoint} takes metrics again; {given_up} snapshots were given up"
            );
        } else if !self.logged.has_accepted {
            tracing::info!("the OpenTelemetry collector {endpoint} takes metrics");
        }
        self.logged.has_accepted = true;
        let rejection = (accepted != Accepted::default()).then_some(accepted.message);
        if rejection.is_some() && rejection != self.logged.rejection {
            let (points, message) = (accepted.rejected_points, rejection.as_deref().unwrap_or_default());
            tracing::warn!("the OpenTelemetry collector {endpoint} rejected {points} points: {message:?}");
        }
        self.logged.rejection = rejection.or(self.logged.rejection.take());
    }

    fn record_failure(&mut self, waiting: &WaitingSnapshot, error: &PushError) {
        let before = self.shared.statistics.given_up();
        match error.remedy {
            Remedy::TryAgain { .. } | Remedy::Reconnect => self.shared.statistics.count_failed(),
            Remedy::GiveUp => {
                self.shared.statistics.count_refused();
                self.shared.remove(waiting.number);
            }
        }
        // The caller reports what is left at the end.
        if self.shared.is_finishing() {
            return;
        }
        let given_up = match &self.logged.outage {
            Some((reason, _)) if *reason == error.reason => return,
            Some((_, given_up)) => *given_up,
            None => before,
        };
        let then = match error.remedy {
            Remedy::TryAgain { .. } | Remedy::Reconnect => "the agent keeps trying",
            Remedy::GiveUp => "these metrics are given up, and later ones are tried",
        };
        let (endpoint, reason) = (self.settings.collector.endpoint(), &error.reason);
        tracing::warn!("the OpenTelemetry collector {endpoint} {reason}; {then}");
        self.logged.outage = Some((error.reason.clone(), given_up));
    }
}

/// A request that this process encoded.
fn decoded(request: &Bytes) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest::decode(request.clone()).unwrap_or_default()
}
