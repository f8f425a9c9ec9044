//! Rules on the agent itself: interfaces, losses, sampling.

use pktvisor_api::Severity;

use super::text::percent;
use crate::observation::LinkCondition;
use crate::symptom::{Patience, Scene, SubjectClass, Symptom};

/// The share of the packets from which on losses matter.
const LOSS_SHARE: f64 = 0.001;

/// An interface that packets cannot come from.
pub(super) fn interfaces(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    for interface in &scene.observation.agent.interfaces {
        let (kind, state) = match interface.condition {
            LinkCondition::Up => continue,
            LinkCondition::Down => ("interface_down", "is down"),
            LinkCondition::Gone => ("interface_gone", "is gone"),
        };
        symptoms.push(Symptom {
            patience: Patience::Usual,
            kind,
            severity: Severity::Critical,
            subject_kind: SubjectClass::Interface,
            text: format!("{} {state}: no packet can arrive there", interface.name),
            measures: Vec::new(),
            who: Vec::new(),
            subject: interface.name.clone(),
        });
    }
}

/// Packets that were not analysed, or that drivers dropped, in the last ten seconds.
pub(super) fn losses(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    let recent = &scene.recent;
    let kinds = [
        ("analysis_behind", "analysis", recent.lost, "DNS packets were lost before analysis"),
        ("driver_drops", "driver", recent.driver_drops, "packets were dropped by drivers"),
    ];
    for (kind, subject, lost, what) in kinds {
        let bar = scene.bar(kind, subject);
        let lost_share = lost as f64 / (recent.packets + lost).max(1) as f64;
        if lost == 0 || lost_share < bar.at(LOSS_SHARE) {
            continue;
        }
        symptoms.push(Symptom {
            patience: Patience::Usual,
            kind,
            severity: Severity::Warning,
            subject_kind: SubjectClass::Agent,
            text: format!("{lost} {what} in the last ten seconds, {} of all", percent(lost_share)),
            measures: vec![("lost", lost as f64), ("lost_share", lost_share)],
            who: Vec::new(),
            subject: subject.to_owned(),
        });
    }
}

/// Overload: the agent analyses fewer flows than it may.
pub(super) fn sampling(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    let agent = &scene.observation.agent;
    let (now, max) = (agent.sample_rate_now_pct, agent.sample_rate_max_pct);
    if now >= max * 0.99 {
        return;
    }
    symptoms.push(Symptom {
        patience: Patience::Usual,
        kind: "sampling_lowered",
        severity: Severity::Notice,
        subject_kind: SubjectClass::Agent,
        text: format!("overload: the agent analyses {now:.1} % of the DNS flows instead of {max:.0} %"),
        measures: vec![("sample_rate_pct", now), ("sample_rate_max_pct", max)],
        who: Vec::new(),
        subject: "sampling".to_owned(),
    });
}
