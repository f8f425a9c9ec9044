// Panels: each is a title, a size on the grid of 24 columns, a unit, and queries with their legends.
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { ReduceDataOptionsBuilder } from "@grafana/grafana-foundation-sdk/common";

const SOURCE = { type: "prometheus", uid: "${source}" };

function queries(panel, given) {
  given.forEach(([expr, legend], index) => {
    panel.withTarget(
      new DataqueryBuilder().expr(expr).legendFormat(legend).refId(String.fromCharCode(65 + index)),
    );
  });
  return panel.datasource(SOURCE);
}

/** A line for each series over time. */
export function lines(title, unit, given, { width = 12, description } = {}) {
  const panel = new TimeseriesBuilder().title(title).unit(unit).span(width).height(8).min(0);
  if (description) panel.description(description);
  return queries(panel, given);
}

/** The newest value as a large number. */
export function number(title, unit, given, { width = 4, description } = {}) {
  const last = new ReduceDataOptionsBuilder().calcs(["lastNotNull"]);
  const panel = new StatBuilder().title(title).unit(unit).span(width).height(4).reduceOptions(last);
  if (description) panel.description(description);
  return queries(panel, given);
}

/** The newest value of each series as rows of a table: a top list. */
export function list(title, expr, { width = 8, description } = {}) {
  const query = new DataqueryBuilder().expr(expr).instant().format(PromQueryFormat.Table).refId("A");
  const panel = new TableBuilder().title(title).span(width).height(9).withTarget(query).datasource(SOURCE);
  panel.withTransformation({
    id: "organize",
    options: { excludeByName: { Time: true, __name__: true, job: true }, renameByName: { Value: "count" } },
  });
  if (description) panel.description(description);
  return panel;
}
