//! `inline`: programs in the kernel count every packet in passing and copy DNS, for two threads of ours to take over.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, bail};
use pktvisor_common::api;
use pktvisor_common::direction::{Prefix, PrefixList};
use pktvisor_common::kernel::config::{INLINE_PREFIXES_MAX, KernelConfig};
use pktvisor_common::sampling::SampleRate;

use super::any::AnyInterface;
use super::changes::Changes;
use super::configuration::Configuration;
use super::deep::DeepThread;
use super::drain::DrainThread;
use super::losses::DriverDrops;
use super::rate::RateControl;
use super::shared::Shared;
use super::{clock, spawn};
use crate::agent::Agent;
use crate::analysis::geo::Geo;
use crate::analysis::{self, Analysis};
use crate::capture::Filter;
use crate::capture::attach::{Attached, Attacher, Hook};
use crate::capture::hosts::HostSet;
use crate::capture::interfaces::{Interfaces, SystemInterfaces};
use crate::capture::kernel::{self, Kernel, Loaded, object};
use crate::cli::{Options, Target};
use crate::privileges::{self, Work};

/// A capture by kernel programs that runs.
pub(super) struct Inline {
    shared: Arc<Shared>,
    attachments: Attachments,
    /// Hung up to stop the drain thread.
    stop: SyncSender<()>,
    drain: JoinHandle<DrainThread>,
    deep: JoinHandle<()>,
}

/// What takes the programs off when it is dropped, or joined.
enum Attachments {
    One(#[expect(dead_code, reason = "held for its drop")] Box<(Attached, Attacher)>),
    Any(JoinHandle<()>),
}

impl Inline {
    /// Loads the programs, attaches them to the target's interface, and starts the threads. Wants privileges; the
    /// threads have those that the caller has by then.
    ///
    /// # Errors
    ///
    /// Whatever keeps us from seeing every packet; nothing stays attached.
    pub(super) fn start(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Self> {
        let interfaces = match &options.target {
            Target::Interface(interface) => vec![interface.clone()],
            _ => SystemInterfaces.list().context("cannot list the network interfaces")?,
        };
        let host = options.host_set(&interfaces);
        let config = KernelConfig {
            sample_rate: SampleRate::percent(options.max_deep_sample_pct),
            host: prefixes(&host)?,
            dns_ports: options.dns_ports,
            ..KernelConfig::default()
        };
        let geo = Geo::open(options.geo_city.as_deref(), options.geo_asn.as_deref())?;
        let settings = kernel::Settings { config, ..kernel::Settings::default() };
        let Loaded { kernel, control, drain, deep } = Kernel::load(&read_object(options)?, &settings)?;
        let counted = drain.counts()?;
        let configuration = Configuration::new(control, config);
        let shared = Arc::new(Shared::default());
        agent.set_mode("inline");
        agent.store.batch().tick(clock::wall_ns());
        let attacher = Attacher::new(kernel, options.filter.clone().map(Filter::new));
        let attachments = attachments(options, agent, attacher, &configuration, &shared)?;
        let deep = DeepThread {
            agent: Arc::clone(agent),
            shared: Arc::clone(&shared),
            rings: deep,
            dns_ports: options.dns_ports,
            analysis: Analysis::new(analysis::Settings {
                dns_ports: options.dns_ports,
                sample_rate: config.sample_rate,
                transaction_timeout_ns: u64::try_from(options.dns_timeout.as_nanos()).unwrap_or(u64::MAX),
                host,
            }),
        };
        let drain = DrainThread {
            agent: Arc::clone(agent),
            shared: Arc::clone(&shared),
            drain,
            geo: (!geo.is_empty()).then_some(geo),
            rate: RateControl::new(configuration, options.max_deep_sample_pct, options.cpu_budget_pct),
            driver: DriverDrops::default(),
            counted,
        };
        let (stop, stopped) = sync_channel(0);
        Ok(Self {
            shared,
            attachments,
            stop,
            deep: spawn("deep", move || deep.run())?,
            drain: spawn("drain", move || drain.run(&stopped))?,
        })
    }

    /// Takes the programs off, analyses what is still in the rings, and closes the ledger.
    ///
    /// # Errors
    ///
    /// The last counters cannot be read, or a thread broke down.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.shared.detach();
        match self.attachments {
            one @ Attachments::One(..) => drop(one),
            Attachments::Any(thread) => {
                thread.join().ok().context("the watch over the interfaces broke down")?
            }
        }
        self.shared.stop();
        self.deep.join().ok().context("the analysis broke down")?;
        drop(self.stop);
        self.drain.join().ok().context("the counting broke down")?.finish()?;
        Ok(())
    }
}

/// Attaches to the one interface, or to all there are and from a thread of its own to those that come.
fn attachments(
    options: &Options,
    agent: &Arc<Agent>,
    mut attacher: Attacher,
    configuration: &Configuration,
    shared: &Arc<Shared>,
) -> anyhow::Result<Attachments> {
    let running = privileges::Kernel::running();
    if let Target::Interface(interface) = &options.target {
        let attached = attacher.attach(interface)?;
        tell_attached(agent, &attached);
        let detaches = attached.egress == Some(Hook::Clsact);
        privileges::give_up(&privileges::keep(Work::Inline, &running, false, detaches))?;
        return Ok(Attachments::One(Box::new((attached, attacher))));
    }
    // Before the first look, so that nothing is missed between them.
    let changes = Changes::subscribe().context("cannot watch for interfaces that come up")?;
    let mut any = AnyInterface::new(Arc::clone(agent), attacher);
    any.update(&SystemInterfaces.list().context("cannot list the network interfaces")?);
    if !any.is_attached() {
        bail!("cannot capture from any interface: {}", any.refusals());
    }
    let (options, configuration, shared) = (options.clone(), configuration.clone(), Arc::clone(shared));
    let (tell, given_up) = sync_channel(1);
    let thread = spawn("interfaces", move || {
        // This thread alone keeps what it takes to attach.
        let _ = tell.send(privileges::give_up(&privileges::keep(Work::Inline, &running, true, true)));
        super::any::follow(any, &SystemInterfaces, &options, &changes, &configuration, &shared);
    })?;
    given_up.recv().context("the watch over the interfaces broke down")??;
    Ok(Attachments::Any(thread))
}

/// What an interface's hooks are, for the operator.
pub(super) fn tell_attached(agent: &Agent, attached: &Attached) {
    for note in &attached.notes {
        tracing::info!("{note}");
        agent.note(note.clone());
    }
    agent.attached(api::CaptureInterface {
        name: attached.interface.clone(),
        ingress: attached.ingress.to_string(),
        egress: attached.egress.map(|hook| hook.to_string()),
    });
}

/// The programs to load: those given, or those built in.
fn read_object(options: &Options) -> anyhow::Result<std::borrow::Cow<'static, [u8]>> {
    if let Some(path) = &options.bpf_object {
        return Ok(std::fs::read(path)
            .with_context(|| format!("cannot read the kernel programs in {}", path.display()))?
            .into());
    }
    match object::embedded() {
        Some(object) => Ok(object.into()),
        None => bail!(
            "this build has no kernel programs: build them with `cargo xtask build-ebpf` and build the agent again, \
             give them with --bpf-object, or use --mode afpacket"
        ),
    }
}

/// HOST as the programs know it.
pub(super) fn prefixes(host: &HostSet) -> anyhow::Result<PrefixList<INLINE_PREFIXES_MAX>> {
    let mut list = PrefixList::new();
    for network in host.networks() {
        let (address, version) = match network.network() {
            std::net::IpAddr::V4(address) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&address.octets());
                (bytes, 4)
            }
            std::net::IpAddr::V6(address) => (address.octets(), 6),
        };
        if list.push(Prefix::new(&address, network.prefix_len(), version)).is_err() {
            bail!("HOST has more than {INLINE_PREFIXES_MAX} networks: give fewer or larger ones with -H");
        }
    }
    Ok(list)
}
