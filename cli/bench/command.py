"""``tessera bench``: what is measured, a command a scenario."""

import typer

from cli.bench.backtest import measure_backtest
from cli.bench.checkouts import measure_checkouts
from cli.bench.engine import measure_engine
from cli.bench.expiry import measure_expiry
from cli.bench.holds import measure_holds
from cli.bench.imports import measure_imports
from cli.bench.inactivity import measure_inactivity
from cli.bench.pipelines import measure_pipelines
from cli.bench.previews import measure_previews
from cli.bench.registry import measure_registry
from cli.bench.till_traffic import measure_till_traffic
from cli.bench.verification import measure_verification

app = typer.Typer(help="Measure, and note the figures down in docs/benchmarks.md.", no_args_is_help=True)
app.command("pipelines")(measure_pipelines)
app.command("registry")(measure_registry)
app.command("imports")(measure_imports)
app.command("engine")(measure_engine)
app.command("previews")(measure_previews)
app.command("checkouts")(measure_checkouts)
app.command("holds")(measure_holds)
app.command("till-traffic")(measure_till_traffic)
app.command("expiry")(measure_expiry)
app.command("inactivity")(measure_inactivity)
app.command("verify")(measure_verification)
app.command("backtest")(measure_backtest)
