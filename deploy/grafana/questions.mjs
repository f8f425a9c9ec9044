// The dashboards, each for one question of an operator.
import { lines, list, number } from "./panels.mjs";

// The agents that the variable `instance` selects.
const AGENT = 'job="$job", instance=~"$instance"';
const RATE = "$__rate_interval";

const rate = (family, labels = "") => `rate(${family}{${AGENT}${labels && ", " + labels}}[${RATE}])`;
const QUERIES = rate("pktvisor_dns_messages_by_kind_total", 'kind="query"');
const REPLIES = rate("pktvisor_dns_messages_by_kind_total", 'kind="reply"');
const TIMED_OUT = rate("pktvisor_dns_unmatched_total", 'cause="timed_out"');
const ANSWERED = rate("pktvisor_dns_transactions_total");
// Of native histograms where Prometheus scrapes those, else of classic ones.
const TIMES = "pktvisor_dns_transaction_duration_seconds";
const quantile = (q, by, direction) => {
  const labels = direction && `direction="${direction}"`;
  const native = `histogram_quantile(${q}, sum by (${by ?? ""}) (${rate(TIMES, labels)}))`;
  const classic = `histogram_quantile(${q}, sum by (${by ? by + ", " : ""}le) (${rate(`${TIMES}_bucket`, labels)}))`;
  return `${native} or ${classic}`;
};
const top = (family) => `topk(10, sum by (name) (${family}{${AGENT}}))`;

export const fleet = {
  uid: "pktvisor-fleet",
  title: "pktvisor / Fleet",
  description: "All agents: which are up, how much they see, how well their servers answer",
  panels: [
    number("Agents up", "short", [[`sum(up{${AGENT}})`, ""]]),
    number("Agents down", "short", [[`count(up{${AGENT}} == 0) or vector(0)`, ""]]),
    number("Queries", "reqps", [[`sum(${QUERIES})`, ""]]),
    number("Unanswered", "percentunit", [[`sum(${TIMED_OUT}) / (sum(${TIMED_OUT}) + sum(${ANSWERED}))`, ""]]),
    number("p99 of the fleet", "s", [[quantile(0.99), ""]], {
      description: "As if one agent had seen the traffic of all, to within the width of a bucket.",
    }),
    number("Packets", "pps", [[`sum(${rate("pktvisor_packets_total")})`, ""]]),
    lines("Queries by agent", "reqps", [[`sum by (instance) (${QUERIES})`, "{{instance}}"]]),
    lines("Packets by agent", "pps", [[`sum by (instance) (${rate("pktvisor_packets_total")})`, "{{instance}}"]]),
    lines("p99 of transactions by agent", "s", [[quantile(0.99, "instance"), "{{instance}}"]]),
    lines("Failed replies by agent", "reqps", [
      [`sum by (instance, rcode) (${rate("pktvisor_dns_replies_total", 'rcode=~"SERVFAIL|REFUSED"')})`, "{{instance}} {{rcode}}"],
    ]),
  ],
};

export const agent = {
  uid: "pktvisor-agent",
  title: "pktvisor / Agent",
  description: "What one agent sees",
  panels: [
    number("Up since", "s", [[`pktvisor_uptime_seconds{${AGENT}}`, "{{instance}}"]]),
    number("Queries waiting", "short", [[`sum(pktvisor_dns_transactions_open{${AGENT}})`, ""]]),
    number("Analysed", "percentunit", [[`avg(pktvisor_period_sampling_ratio{${AGENT}})`, ""]]),
    number("Queries now", "short", [[`sum(pktvisor_dns_messages_per_second{${AGENT}, kind="query"})`, ""]]),
    number("Packets now", "short", [[`sum(pktvisor_packets_per_second{${AGENT}})`, ""]]),
    number("Lost", "short", [[`sum(increase(pktvisor_dns_packets_lost_total{${AGENT}}[1h]))`, ""]], {
      description: "DNS packets lost before analysis in the last hour.",
    }),
    lines("Packets by direction", "pps", [[`sum by (direction) (${rate("pktvisor_direction_packets_total")})`, "{{direction}}"]]),
    lines("Packets by transport", "pps", [[`sum by (protocol) (${rate("pktvisor_transport_packets_total")})`, "{{protocol}}"]]),
    lines("Bytes", "Bps", [
      [`sum(${rate("pktvisor_packets_bytes_in_total")})`, "in"],
      [`sum(${rate("pktvisor_packets_bytes_out_total")})`, "out"],
    ]),
    lines("TCP connections", "pps", [
      [`sum(${rate("pktvisor_packets_tcp_syn_total")})`, "SYN"],
      [`sum(${rate("pktvisor_packets_tcp_syn_ack_total")})`, "SYN and ACK"],
      [`sum(${rate("pktvisor_packets_tcp_rst_total")})`, "RST"],
    ]),
  ],
};

export const dns = {
  uid: "pktvisor-dns",
  title: "pktvisor / DNS",
  description: "Queries, replies, how long they take, and the names",
  panels: [
    lines("Messages", "reqps", [
      [`sum(${QUERIES})`, "queries"],
      [`sum(${REPLIES})`, "replies"],
    ]),
    lines("Replies by response code", "reqps", [[`sum by (rcode) (${rate("pktvisor_dns_replies_total")})`, "{{rcode}}"]]),
    lines("Transaction time, HOST is asked", "s", [
      [quantile(0.5, "", "in"), "p50"],
      [quantile(0.95, "", "in"), "p95"],
      [quantile(0.99, "", "in"), "p99"],
    ]),
    lines("Transaction time, HOST asks", "s", [
      [quantile(0.5, "", "out"), "p50"],
      [quantile(0.95, "", "out"), "p95"],
      [quantile(0.99, "", "out"), "p99"],
    ]),
    lines("Without a partner", "reqps", [[`sum by (cause) (${rate("pktvisor_dns_unmatched_total")})`, "{{cause}}"]]),
    lines("Replies with a flag", "reqps", [[`sum by (flag) (${rate("pktvisor_dns_flagged_replies_total")})`, "{{flag}}"]]),
    list("Names (two labels)", top("pktvisor_period_dns_top_qname2")),
    list("NXDOMAIN", top("pktvisor_period_dns_top_nxdomain")),
    list("SERVFAIL", top("pktvisor_period_dns_top_srvfail")),
    list("Query types", top("pktvisor_period_dns_top_qtype")),
    list("Slow, HOST is asked", top("pktvisor_period_dns_xact_in_top_slow")),
    list("Slow, HOST asks", top("pktvisor_period_dns_xact_out_top_slow")),
  ],
};

export const clients = {
  uid: "pktvisor-clients",
  title: "pktvisor / Clients and networks",
  description: "Remote addresses, and how many there are",
  panels: [
    lines("Distinct addresses by agent", "short", [
      [`sum by (instance, role) (pktvisor_period_addresses{${AGENT}})`, "{{instance}} {{role}}"],
    ], { description: "Of one period. Distinct counts of several agents cannot be added." }),
    lines("Packets by IP version", "pps", [[`sum by (protocol) (${rate("pktvisor_network_packets_total")})`, "{{protocol}}"]]),
    list("IPv4 addresses", top("pktvisor_period_packets_top_ipv4"), { width: 12 }),
    list("IPv6 addresses", top("pktvisor_period_packets_top_ipv6"), { width: 12 }),
    list("UDP ports of DNS", top("pktvisor_period_dns_top_udp_ports"), { width: 12 }),
    lines("EDNS", "reqps", [
      [`sum(${rate("pktvisor_dns_edns_queries_total")})`, "queries with EDNS"],
      [`sum(${rate("pktvisor_dns_edns_dnssec_ok_total")})`, "DNSSEC OK"],
      [`sum(${rate("pktvisor_dns_edns_client_subnet_total")})`, "client subnet"],
    ]),
  ],
};

export const cost = {
  uid: "pktvisor-cost",
  title: "pktvisor / Loss and cost",
  description: "What the agents lost, and what they cost",
  panels: [
    lines("DNS packets not analysed", "pps", [
      [`sum by (instance) (${rate("pktvisor_dns_packets_lost_total")})`, "{{instance}} lost"],
      [`sum by (instance) (${rate("pktvisor_dns_packets_not_chosen_total")})`, "{{instance}} not sampled"],
    ]),
    lines("Analysed share", "percentunit", [[`pktvisor_period_sampling_ratio{${AGENT}}`, "{{instance}}"]]),
    lines("CPU", "percentunit", [[rate("process_cpu_seconds_total"), "{{instance}}"]], {
      description: "Share of one processor, without the kernel's own programs.",
    }),
    lines("CPU by role of the thread", "percentunit", [
      [`sum by (role) (${rate("pktvisor_cpu_seconds_total")})`, "{{role}}"],
    ]),
    lines("Memory", "bytes", [[`process_resident_memory_bytes{${AGENT}}`, "{{instance}}"]]),
    lines("CPU time of a packet", "s", [
      [`${rate("process_cpu_seconds_total")} / ${rate("pktvisor_packets_counted_total")}`, "{{instance}}"],
    ]),
    lines("Queries given up, streams dropped", "reqps", [
      [`sum by (instance) (${rate("pktvisor_dns_xact_counts_shed_total")})`, "{{instance}} queries"],
      [`sum by (instance) (${rate("pktvisor_dns_reassembly_streams_evicted_total")})`, "{{instance}} streams"],
    ]),
  ],
};
