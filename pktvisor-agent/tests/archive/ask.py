"""Asks an engine about an archive, with the SQL of deploy/sql: ask.py ENGINE ARCHIVE. Prints one JSON object.

Exits with 77 and the reason on stderr if the engine is not installed."""

import json
import os
import pathlib
import sys

ENGINE, ARCHIVE = sys.argv[1:]
SQL = pathlib.Path(__file__).parents[3] / "deploy/sql"
DEFAULT = "/var/lib/pktvisor/archive"
SPAN = "'2020-01-01', '2040-01-01'"
IS_BUCKET = ARCHIVE.startswith("s3://")

COUNTERS = "select agents, packets_total, packets_bytes_total, dns_wire_packets_queries, dns_in_queries, dns_in_nxdomain from fleet_counters"
HOURS = "select count(*) from pktvisor"


def statements(file, old, new):
    text = (SQL / file).read_text().replace(old, new)
    return [statement for statement in text.split(";\n") if statement.strip()]


def duckdb():
    import duckdb

    connection = duckdb.connect()
    path = ARCHIVE
    if IS_BUCKET:
        import duckdb_extension_httpfs
        from duckdb_extensions import import_extension

        import_extension("httpfs", con=connection)
        connection.execute("load httpfs")
        connection.execute(
            f"create secret (type s3, key_id '{os.environ['AWS_ACCESS_KEY_ID']}', secret '{os.environ['AWS_SECRET_ACCESS_KEY']}', "
            f"endpoint '{os.environ['AWS_ENDPOINT_URL'].removeprefix('http://')}', url_style 'path', use_ssl false, region 'us-east-1')"
        )
    connection.execute("set timezone = 'UTC'")
    for statement in statements("duckdb.sql", DEFAULT, path):
        connection.execute(statement)
    ask = lambda query: connection.execute(query).fetchall()
    return answers(ask, lambda name, *words: f"select * from {name}({', '.join([*words, SPAN])})")


def chdb():
    from chdb import session

    chdb = session.Session()
    if IS_BUCKET:
        bucket = ARCHIVE.removeprefix("s3://")
        endpoint, key, secret = (os.environ[name] for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        new = f"s3('{endpoint}/{bucket}/*/*/*.parquet', '{key}', '{secret}', 'Parquet')"
        old = f"file('{DEFAULT}/*/*/*.parquet', 'Parquet')"
    else:
        old, new = DEFAULT, ARCHIVE
    for statement in statements("clickhouse.sql", old, new):
        chdb.query(statement)
    names = {
        "fleet_top": ["of_list"],
        "fleet_quantile": ["of_metric", "p"],
        "fleet_distinct": ["of_metric"],
    }

    def ask(query):
        text = chdb.query(query + " format JSONCompactEachRow settings output_format_json_quote_64bit_integers = 0", "Raw")
        return [json.loads(line) for line in str(text).splitlines()]

    def call(name, *words):
        given = [f"{key} = {word}" for key, word in zip(names[name], words)]
        return f"select * from {name}({', '.join(given)}, since = '2020-01-01', until = '2040-01-01')"

    return answers(ask, call)


def spark():
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
    session = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for statement in statements("spark.sql", DEFAULT, ARCHIVE):
        session.sql(statement)
    ask = lambda query: [tuple(row) for row in session.sql(query).collect()]
    return answers(ask, lambda name, *words: f"select * from {name}({', '.join([*words, SPAN])})")


def answers(ask, call):
    return {
        "rows": ask(HOURS)[0][0],
        "counters": ask(COUNTERS)[0],
        "clients": ask(call("fleet_distinct", "'dns.in.clients'"))[0][0],
        "p99": ask(call("fleet_quantile", "'dns.xact.in.quantiles_us'", "0.99"))[0][0],
        "p50": ask(call("fleet_quantile", "'dns.xact.in.quantiles_us'", "0.5"))[0][0],
        "names": ask(call("fleet_top", "'dns.top_qname2'")),
        "top_clients": ask(call("fleet_top", "'dns.in.top_clients'")),
    }


try:
    result = {"duckdb": duckdb, "chdb": chdb, "spark": spark}[ENGINE]()
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)
print(json.dumps(result))
