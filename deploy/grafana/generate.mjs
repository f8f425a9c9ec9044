// Writes one JSON file for each dashboard into dashboards/: npm ci && npm run generate
import { writeFileSync } from "node:fs";
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import * as dashboards from "./questions.mjs";

function variables(builder) {
  const source = { type: "prometheus", uid: "${source}" };
  const labels = (name, expression) =>
    new QueryVariableBuilder(name).datasource(source).query(expression).refresh(2).sort(1);
  return builder
    .withVariable(new DatasourceVariableBuilder("source").label("Prometheus").type("prometheus"))
    .withVariable(labels("job", "label_values(pktvisor_build_info, job)"))
    .withVariable(
      labels("instance", 'label_values(pktvisor_build_info{job="$job"}, instance)').multi(true).includeAll(true),
    );
}

for (const { uid, title, description, panels } of Object.values(dashboards)) {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["pktvisor"])
    .editable()
    .refresh("30s")
    .time({ from: "now-1h", to: "now" });
  variables(builder);
  panels.forEach((panel) => builder.withPanel(panel));
  writeFileSync(`dashboards/${uid}.json`, JSON.stringify(builder.build(), null, 2) + "\n");
}
