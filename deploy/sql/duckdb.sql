-- The archives of pktvisor in DuckDB: `duckdb -init duckdb.sql`. Every view and macro answers for all agents together as one
-- agent would that saw all the traffic. docs/fleet.md has examples.
--
-- Change the path in the first statement. A bucket is 's3://BUCKET/PREFIX/*/*/*.parquet', after `create secret`.

create or replace view pktvisor_files as
select * from read_parquet('/var/lib/pktvisor/archive/*/*/*.parquet', hive_partitioning = true, union_by_name = true);

-- Without the files that a roll-up has merged and not yet deleted.
create or replace view pktvisor as
select * from pktvisor_files where id not in (select unnest(sources) from pktvisor_files);

-- begin of the views that a test makes from the declarations of the metrics
create or replace view fleet_counters as select
    min(period_start) as period_start, max(period_end) as period_end,
    count(distinct agent) as agents,
    sum(packets_total) as packets_total,
    sum(packets_udp) as packets_udp,
    sum(packets_tcp) as packets_tcp,
    sum(packets_other_l4) as packets_other_l4,
    sum(packets_ipv4) as packets_ipv4,
    sum(packets_ipv6) as packets_ipv6,
    sum(packets_in) as packets_in,
    sum(packets_out) as packets_out,
    sum(packets_unknown) as packets_unknown,
    sum(packets_deep_samples) as packets_deep_samples,
    sum(packets_bytes_in) as packets_bytes_in,
    sum(packets_bytes_out) as packets_bytes_out,
    sum(packets_bytes_total) as packets_bytes_total,
    sum(packets_non_ip) as packets_non_ip,
    sum(packets_fragments) as packets_fragments,
    sum(packets_vlan) as packets_vlan,
    sum(packets_malformed) as packets_malformed,
    sum(packets_tunnelled) as packets_tunnelled,
    sum(packets_tcp_syn) as packets_tcp_syn,
    sum(packets_tcp_syn_ack) as packets_tcp_syn_ack,
    sum(packets_tcp_rst) as packets_tcp_rst,
    sum(packets_out_of_order) as packets_out_of_order,
    sum(packets_time_jumps) as packets_time_jumps,
    sum(packets_sizes_below_64) as packets_sizes_below_64,
    sum(packets_sizes_below_128) as packets_sizes_below_128,
    sum(packets_sizes_below_256) as packets_sizes_below_256,
    sum(packets_sizes_below_512) as packets_sizes_below_512,
    sum(packets_sizes_below_1024) as packets_sizes_below_1024,
    sum(packets_sizes_below_1519) as packets_sizes_below_1519,
    sum(packets_sizes_from_1519) as packets_sizes_from_1519,
    sum(dns_wire_packets_total) as dns_wire_packets_total,
    sum(dns_wire_packets_queries) as dns_wire_packets_queries,
    sum(dns_wire_packets_replies) as dns_wire_packets_replies,
    sum(dns_wire_packets_tcp) as dns_wire_packets_tcp,
    sum(dns_wire_packets_udp) as dns_wire_packets_udp,
    sum(dns_wire_packets_ipv4) as dns_wire_packets_ipv4,
    sum(dns_wire_packets_ipv6) as dns_wire_packets_ipv6,
    sum(dns_wire_packets_noerror) as dns_wire_packets_noerror,
    sum(dns_wire_packets_nxdomain) as dns_wire_packets_nxdomain,
    sum(dns_wire_packets_srvfail) as dns_wire_packets_srvfail,
    sum(dns_wire_packets_refused) as dns_wire_packets_refused,
    sum(dns_wire_packets_truncated_capture) as dns_wire_packets_truncated_capture,
    sum(dns_wire_packets_malformed) as dns_wire_packets_malformed,
    sum(dns_xact_counts_total) as dns_xact_counts_total,
    sum(dns_xact_counts_timed_out) as dns_xact_counts_timed_out,
    sum(dns_xact_counts_late) as dns_xact_counts_late,
    sum(dns_xact_counts_duplicates) as dns_xact_counts_duplicates,
    sum(dns_xact_counts_orphans) as dns_xact_counts_orphans,
    sum(dns_xact_counts_retransmitted) as dns_xact_counts_retransmitted,
    sum(dns_xact_counts_negative_times) as dns_xact_counts_negative_times,
    sum(dns_xact_counts_shed) as dns_xact_counts_shed,
    sum(dns_xact_in_total) as dns_xact_in_total,
    sum(dns_xact_out_total) as dns_xact_out_total,
    sum(dns_xact_unknown_total) as dns_xact_unknown_total,
    sum(dns_in_queries) as dns_in_queries,
    sum(dns_in_replies) as dns_in_replies,
    sum(dns_in_tcp_queries) as dns_in_tcp_queries,
    sum(dns_in_ipv6_queries) as dns_in_ipv6_queries,
    sum(dns_in_query_bytes) as dns_in_query_bytes,
    sum(dns_in_response_bytes) as dns_in_response_bytes,
    sum(dns_in_noerror) as dns_in_noerror,
    sum(dns_in_nxdomain) as dns_in_nxdomain,
    sum(dns_in_srvfail) as dns_in_srvfail,
    sum(dns_in_refused) as dns_in_refused,
    sum(dns_in_nodata) as dns_in_nodata,
    sum(dns_in_referrals) as dns_in_referrals,
    sum(dns_in_malformed) as dns_in_malformed,
    sum(dns_in_timed_out) as dns_in_timed_out,
    sum(dns_in_orphans) as dns_in_orphans,
    sum(dns_in_rd_queries) as dns_in_rd_queries,
    sum(dns_in_ad_queries) as dns_in_ad_queries,
    sum(dns_in_cd_queries) as dns_in_cd_queries,
    sum(dns_in_do_queries) as dns_in_do_queries,
    sum(dns_in_ecs_queries) as dns_in_ecs_queries,
    sum(dns_in_cookie_queries) as dns_in_cookie_queries,
    sum(dns_in_cookie_replies) as dns_in_cookie_replies,
    sum(dns_in_aa_replies) as dns_in_aa_replies,
    sum(dns_in_tc_replies) as dns_in_tc_replies,
    sum(dns_in_ra_replies) as dns_in_ra_replies,
    sum(dns_in_ad_replies) as dns_in_ad_replies,
    sum(dns_out_queries) as dns_out_queries,
    sum(dns_out_replies) as dns_out_replies,
    sum(dns_out_tcp_queries) as dns_out_tcp_queries,
    sum(dns_out_ipv6_queries) as dns_out_ipv6_queries,
    sum(dns_out_query_bytes) as dns_out_query_bytes,
    sum(dns_out_response_bytes) as dns_out_response_bytes,
    sum(dns_out_noerror) as dns_out_noerror,
    sum(dns_out_nxdomain) as dns_out_nxdomain,
    sum(dns_out_srvfail) as dns_out_srvfail,
    sum(dns_out_refused) as dns_out_refused,
    sum(dns_out_nodata) as dns_out_nodata,
    sum(dns_out_referrals) as dns_out_referrals,
    sum(dns_out_malformed) as dns_out_malformed,
    sum(dns_out_timed_out) as dns_out_timed_out,
    sum(dns_out_orphans) as dns_out_orphans,
    sum(dns_out_rd_queries) as dns_out_rd_queries,
    sum(dns_out_ad_queries) as dns_out_ad_queries,
    sum(dns_out_cd_queries) as dns_out_cd_queries,
    sum(dns_out_do_queries) as dns_out_do_queries,
    sum(dns_out_ecs_queries) as dns_out_ecs_queries,
    sum(dns_out_cookie_queries) as dns_out_cookie_queries,
    sum(dns_out_cookie_replies) as dns_out_cookie_replies,
    sum(dns_out_aa_replies) as dns_out_aa_replies,
    sum(dns_out_tc_replies) as dns_out_tc_replies,
    sum(dns_out_ra_replies) as dns_out_ra_replies,
    sum(dns_out_ad_replies) as dns_out_ad_replies,
    sum(dns_flags_aa) as dns_flags_aa,
    sum(dns_flags_ad) as dns_flags_ad,
    sum(dns_flags_tc) as dns_flags_tc,
    sum(dns_edns_queries) as dns_edns_queries,
    sum(dns_edns_replies) as dns_edns_replies,
    sum(dns_edns_dnssec_ok) as dns_edns_dnssec_ok,
    sum(dns_edns_client_subnet) as dns_edns_client_subnet,
    sum(dns_edns_empty_answers) as dns_edns_empty_answers,
    sum(dns_edns_answer_records) as dns_edns_answer_records,
    sum(dns_reassembly_unsynchronised) as dns_reassembly_unsynchronised,
    sum(dns_reassembly_gaps) as dns_reassembly_gaps,
    sum(dns_reassembly_retransmitted_segments) as dns_reassembly_retransmitted_segments,
    sum(dns_reassembly_streams_evicted) as dns_reassembly_streams_evicted,
    sum(dns_reassembly_datagrams_reassembled) as dns_reassembly_datagrams_reassembled,
    sum(dns_reassembly_datagrams_incomplete) as dns_reassembly_datagrams_incomplete,
    sum(dns_reassembly_datagrams_evicted) as dns_reassembly_datagrams_evicted,
    sum(dns_reassembly_datagrams_unidentified) as dns_reassembly_datagrams_unidentified,
    sum(dns_reassembly_fragments_malformed) as dns_reassembly_fragments_malformed,
    sum(sampling_messages) as sampling_messages
from pktvisor;

create or replace view pktvisor_histograms as
select 'packets.rates.pps_in' as metric, agent, period_start, period_end, packets_rates_pps_in_scale as scale, packets_rates_pps_in_zero as zero, packets_rates_pps_in_count as total, packets_rates_pps_in_sum as value_sum, packets_rates_pps_in_buckets as buckets from pktvisor
union all select 'packets.rates.pps_out' as metric, agent, period_start, period_end, packets_rates_pps_out_scale as scale, packets_rates_pps_out_zero as zero, packets_rates_pps_out_count as total, packets_rates_pps_out_sum as value_sum, packets_rates_pps_out_buckets as buckets from pktvisor
union all select 'dns.xact.in.quantiles_us' as metric, agent, period_start, period_end, dns_xact_in_quantiles_us_scale as scale, dns_xact_in_quantiles_us_zero as zero, dns_xact_in_quantiles_us_count as total, dns_xact_in_quantiles_us_sum as value_sum, dns_xact_in_quantiles_us_buckets as buckets from pktvisor
union all select 'dns.xact.out.quantiles_us' as metric, agent, period_start, period_end, dns_xact_out_quantiles_us_scale as scale, dns_xact_out_quantiles_us_zero as zero, dns_xact_out_quantiles_us_count as total, dns_xact_out_quantiles_us_sum as value_sum, dns_xact_out_quantiles_us_buckets as buckets from pktvisor
union all select 'dns.xact.unknown.quantiles_us' as metric, agent, period_start, period_end, dns_xact_unknown_quantiles_us_scale as scale, dns_xact_unknown_quantiles_us_zero as zero, dns_xact_unknown_quantiles_us_count as total, dns_xact_unknown_quantiles_us_sum as value_sum, dns_xact_unknown_quantiles_us_buckets as buckets from pktvisor
union all select 'dns.in.query_size_bytes' as metric, agent, period_start, period_end, dns_in_query_size_bytes_scale as scale, dns_in_query_size_bytes_zero as zero, dns_in_query_size_bytes_count as total, dns_in_query_size_bytes_sum as value_sum, dns_in_query_size_bytes_buckets as buckets from pktvisor
union all select 'dns.in.response_size_bytes' as metric, agent, period_start, period_end, dns_in_response_size_bytes_scale as scale, dns_in_response_size_bytes_zero as zero, dns_in_response_size_bytes_count as total, dns_in_response_size_bytes_sum as value_sum, dns_in_response_size_bytes_buckets as buckets from pktvisor
union all select 'dns.in.size_ratio_pct' as metric, agent, period_start, period_end, dns_in_size_ratio_pct_scale as scale, dns_in_size_ratio_pct_zero as zero, dns_in_size_ratio_pct_count as total, dns_in_size_ratio_pct_sum as value_sum, dns_in_size_ratio_pct_buckets as buckets from pktvisor
union all select 'dns.out.query_size_bytes' as metric, agent, period_start, period_end, dns_out_query_size_bytes_scale as scale, dns_out_query_size_bytes_zero as zero, dns_out_query_size_bytes_count as total, dns_out_query_size_bytes_sum as value_sum, dns_out_query_size_bytes_buckets as buckets from pktvisor
union all select 'dns.out.response_size_bytes' as metric, agent, period_start, period_end, dns_out_response_size_bytes_scale as scale, dns_out_response_size_bytes_zero as zero, dns_out_response_size_bytes_count as total, dns_out_response_size_bytes_sum as value_sum, dns_out_response_size_bytes_buckets as buckets from pktvisor
union all select 'dns.out.size_ratio_pct' as metric, agent, period_start, period_end, dns_out_size_ratio_pct_scale as scale, dns_out_size_ratio_pct_zero as zero, dns_out_size_ratio_pct_count as total, dns_out_size_ratio_pct_sum as value_sum, dns_out_size_ratio_pct_buckets as buckets from pktvisor
union all select 'dns.edns.udp_size_bytes' as metric, agent, period_start, period_end, dns_edns_udp_size_bytes_scale as scale, dns_edns_udp_size_bytes_zero as zero, dns_edns_udp_size_bytes_count as total, dns_edns_udp_size_bytes_sum as value_sum, dns_edns_udp_size_bytes_buckets as buckets from pktvisor;

create or replace view pktvisor_distinct as
select 'packets.cardinality.src_ips_in' as metric, agent, period_start, period_end, packets_cardinality_src_ips_in_hll as image from pktvisor
union all select 'packets.cardinality.dst_ips_out' as metric, agent, period_start, period_end, packets_cardinality_dst_ips_out_hll as image from pktvisor
union all select 'dns.cardinality.qname' as metric, agent, period_start, period_end, dns_cardinality_qname_hll as image from pktvisor
union all select 'dns.in.clients' as metric, agent, period_start, period_end, dns_in_clients_hll as image from pktvisor
union all select 'dns.out.servers' as metric, agent, period_start, period_end, dns_out_servers_hll as image from pktvisor;

-- end of these views
-- The top lists, by their paths in the JSON.
create or replace view pktvisor_lists as
select entry.list as list, agent, period_start, period_end, entry.absent_upper as absent_upper, entry.entries as entries
from (select agent, period_start, period_end, unnest(lists) as entry from pktvisor);

-- The most frequent items of a list, as in fleet_top('dns.in.top_clients', '2026-01-01', '2027-01-01'). The true count of an item
-- is from `lower` to `upper`.
create or replace macro fleet_top(of_list, since, until) as table
with lists as (
    select * from pktvisor_lists
    where list = of_list and period_start >= since::timestamptz and period_start < until::timestamptz
), entries as (
    select absent_upper, unnest(entries) as entry from lists
)
select
    entry.name as name,
    sum(entry.estimate)::hugeint as estimate,
    sum(entry.lower)::hugeint as lower,
    (sum(entry.upper) - sum(absent_upper) + (select sum(absent_upper) from lists))::hugeint as upper
from entries group by 1 order by estimate desc, name;

-- A quantile, as in fleet_quantile('dns.xact.in.quantiles_us', 0.99, '2026-01-01', '2027-01-01'); null without values.
create or replace macro fleet_quantile(of_metric, p, since, until) as table
with histograms as (
    select * from pktvisor_histograms
    where metric = of_metric and total > 0
      and period_start >= since::timestamptz and period_start < until::timestamptz
), fleet as (
    select min(scale) as scale, sum(zero) as zeros, sum(total) as total from histograms
), buckets as (
    select floor(entry.index / pow(2, histogram_scale - fleet.scale)) as index, sum(entry.count) as n
    from (select scale as histogram_scale, unnest(buckets) as entry from histograms), fleet
    group by 1
), ranked as (
    select index, n, sum(n) over (order by index) + zeros as seen, p * total as rank, scale from buckets, fleet
)
select
    case when (select p * total <= zeros from fleet) then 0
         else (select pow(2, (index + (rank - (seen - n)) / n) / pow(2, scale))
               from ranked where seen >= rank order by index limit 1)
    end as value;

-- The number of distinct items, as in fleet_distinct('dns.in.clients', '2026-01-01', '2027-01-01'): the union of what the agents saw.
create or replace macro fleet_distinct(of_metric, since, until) as table
with images as (
    select regexp_extract_all(hex(image)[81:], '..') as registers from pktvisor_distinct
    where metric = of_metric and image is not null
      and period_start >= since::timestamptz and period_start < until::timestamptz
), registers as (
    select max(register) as register
    from (select unnest(registers) as register, generate_subscripts(registers, 1) as place from images) group by place
), sums as (
    select count(*)::double as m, count(*) filter (register = '00') / count(*) as x,
           coalesce(sum(pow(2, -('0x' || register)::int)) filter (register <> '00'), 0) as s
    from registers
)
-- Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017), section 4.
select case when m = 0 then 0 else round(0.5 / ln(2) * m * m / (m * (x + (
    select sum(pow(x, pow(2, k)) * pow(2, k - 1)) from range(1, 60) as powers(k))) + s))::bigint end as value
from sums;
