//! One snapshot without a terminal: for scripts, tickets and cron mails.

use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use pktvisor_api::Quantiles;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use crate::{
    cli::Format,
    client::{AgentEndpoint, AskedWindow, FetchError, HttpSettings, Session, Wanted},
    format,
    model::{
        AgentModel, FleetModel, ListKind, Observation, Rcode, SavedAgent, Sort, Union, UnionAgents,
        UnionPart, escape,
    },
};

/// Asks every agent once, all at the same time, in the order given.
pub fn ask(
    endpoints: &[AgentEndpoint],
    settings: &HttpSettings,
    window: Option<AskedWindow>,
) -> Vec<SavedAgent> {
    // One agent is its own union.
    let wanted = &Wanted { window, in_union: endpoints.len() > 1, ..Wanted::default() };
    thread::scope(|scope| {
        let ask = |endpoint: &AgentEndpoint| {
            let http = settings.client(endpoint);
            let asking = scope.spawn(move || Session::without_history(http).round(wanted));
            (endpoint.label(), asking)
        };
        let asking: Vec<_> = endpoints.iter().map(ask).collect();
        let unreadable = |_| Err(FetchError::Foreign("the answer cannot be read".to_owned()));
        asking
            .into_iter()
            .map(|(label, thread)| SavedAgent::new(label, thread.join().unwrap_or_else(unreadable)))
            .collect()
    })
}

/// Prints agents on stdout, and on stderr the reason for each agent that did not answer. Exit code
/// 1 if there is any.
pub fn print(agents: &[SavedAgent], format: Format) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for agent in agents {
        if let Some(error) = &agent.error {
            eprintln!("pktvisor: {}: {}", escape(&agent.agent), escape(error));
            continue;
        }
        match format {
            Format::Json => write_json(&mut out, agent)?,
            Format::Text => write_text(&mut out, &agent.to_agent())?,
        }
    }
    if format == Format::Text {
        write_fleet(&mut out, agents)?;
    }
    out.flush()?;
    let all_answered = agents.iter().all(|agent| agent.error.is_none());
    Ok(if all_answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// JSON in ASCII only, so that names cannot control a terminal that shows the output.
struct AsciiFormatter(CompactFormatter);

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                write!(out, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(out, escape)
    }
}

/// Writes one object on one line.
pub fn write_json(out: &mut impl Write, agent: &SavedAgent) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, AsciiFormatter(CompactFormatter));
    agent.serialize(&mut serializer)?;
    writeln!(out)
}

/// Writes an agent as text: every number with all its digits, in columns that do not depend on
/// them.
pub fn write_text(out: &mut impl Write, agent: &AgentModel) -> io::Result<()> {
    writeln!(out, "agent      {}", agent.label)?;
    let Some(window) = &agent.window else { return writeln!(out) };
    if let Some(info) = &agent.info {
        writeln!(out, "version    {}", info.version)?;
    }
    if let Some(capture) = agent.capture() {
        writeln!(out, "capture    {} {}", capture.target, capture.mode)?;
    }
    writeln!(out, "window     {}", window.span_text())?;
    writeln!(out, "analysed   {}", format::percent(Some(window.analysed_share())))?;
    for finding in agent.findings.as_deref().unwrap_or_default() {
        let since = format::time_of_day(finding.since_ts);
        writeln!(out, "finding    {} UTC  {}", since, finding.text)?;
    }
    writeln!(out)?;
    write_packets(out, agent, window)?;
    write_dns(out, window)?;
    for kind in ListKind::printed() {
        write_list(out, window, kind)?;
    }
    Ok(())
}

/// Writes the union of several agents, as if one agent had seen all traffic, unless none gave its sketches.
pub fn write_fleet(out: &mut impl Write, agents: &[SavedAgent]) -> io::Result<()> {
    let models: Vec<AgentModel> = agents.iter().map(SavedAgent::to_agent).collect();
    let parts: Vec<UnionPart> = models.iter().map(|agent| UnionPart::of(agent, Duration::ZERO)).collect();
    let union = Union::of(&parts);
    if agents.len() < 2 || union.agents.whole == 0 {
        return Ok(());
    }
    let mut fleet = FleetModel::new();
    fleet.update(union, &models, Duration::ZERO);
    let UnionAgents { whole, counters_only, invalid, missing } = fleet.agents;
    let counters = counters_only.saturating_add(invalid);
    writeln!(
        out,
        "fleet      {whole} of {} agents, {counters} more in the counters alone, {missing} missing",
        agents.len()
    )?;
    write_text(out, &fleet.agent)
}

fn write_packets(out: &mut impl Write, agent: &AgentModel, window: &Observation) -> io::Result<()> {
    let packets = &window.packets;
    let directed = packets.received.saturating_add(packets.sent);
    writeln!(out, "packets")?;
    part(out, "total", packets.total, packets.total)?;
    part(out, "udp", packets.udp, packets.total)?;
    part(out, "tcp", packets.tcp, packets.total)?;
    part(out, "other", packets.other_l4, packets.total)?;
    part(out, "ipv4", packets.ipv4, packets.total)?;
    part(out, "ipv6", packets.ipv6, packets.total)?;
    part(out, "in", packets.received, directed)?;
    part(out, "out", packets.sent, directed)?;
    part(out, "deep", packets.deep_samples, packets.total)?;
    number(out, "sources in", packets.cardinality.src_ips_in)?;
    number(out, "dests out", packets.cardinality.dst_ips_out)?;
    let (received, sent) = agent.packets_per_second();
    number(out, "in/s", received.unwrap_or(0))?;
    number(out, "out/s", sent.unwrap_or(0))?;
    quantiles(out, "in/s", packets.rates.pps_in, format::exact)?;
    quantiles(out, "out/s", packets.rates.pps_out, format::exact)?;
    writeln!(out)
}

fn write_dns(out: &mut impl Write, window: &Observation) -> io::Result<()> {
    let messages = &window.dns.wire_packets;
    let xact = &window.dns.xact;
    writeln!(out, "dns")?;
    part(out, "messages", messages.total, window.packets.total)?;
    part(out, "queries", messages.queries, messages.total)?;
    part(out, "replies", messages.replies, messages.total)?;
    part(out, "udp", messages.udp, messages.total)?;
    part(out, "tcp", messages.tcp, messages.total)?;
    part(out, "ipv4", messages.ipv4, messages.total)?;
    part(out, "ipv6", messages.ipv6, messages.total)?;
    for rcode in Rcode::ALL {
        part(out, rcode.name(), window.replies_with(rcode), messages.replies)?;
    }
    number(out, "names", window.dns.cardinality.qname)?;
    part(out, "xacts", xact.counts.total, xact.counts.total)?;
    part(out, "xacts in", xact.inbound.total, xact.counts.total)?;
    part(out, "xacts out", xact.outbound.total, xact.counts.total)?;
    if window.ours {
        part(
            out,
            "timed out",
            xact.counts.timed_out,
            xact.counts.total.saturating_add(xact.counts.timed_out),
        )?;
    }
    quantiles(out, "time in", xact.inbound.quantiles_us, format::microseconds)?;
    quantiles(out, "time out", xact.outbound.quantiles_us, format::microseconds)?;
    writeln!(out)
}

fn write_list(out: &mut impl Write, window: &Observation, kind: ListKind) -> io::Result<()> {
    let rows = window.rows(kind, "", Sort::Count);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", kind.title().to_lowercase())?;
    let whole = kind.whole(window);
    for row in rows {
        let share = format::percent(format::share(row.estimate, whole));
        writeln!(out, "  {:>26} {share:>6}  {}", format::exact(row.estimate), row.name)?;
    }
    writeln!(out)
}

fn part(out: &mut impl Write, label: &str, part: u64, whole: u64) -> io::Result<()> {
    let share = format::percent(format::share(part, whole));
    writeln!(out, "  {label:<10} {:>26} {share:>6}", format::exact(part))
}

fn number(out: &mut impl Write, label: &str, value: u64) -> io::Result<()> {
    writeln!(out, "  {label:<10} {:>26}", format::exact(value))
}

fn quantiles(
    out: &mut impl Write,
    label: &str,
    quantiles: Option<Quantiles>,
    format: fn(u64) -> String,
) -> io::Result<()> {
    let Some(q) = quantiles else { return Ok(()) };
    let [p50, p90, p95, p99] = [q.p50, q.p90, q.p95, q.p99].map(format);
    writeln!(out, "  {label:<10} p50 {p50}  p90 {p90}  p95 {p95}  p99 {p99}")
}
