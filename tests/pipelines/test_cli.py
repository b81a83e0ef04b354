"""The command line: help, exit statuses, and errors told in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from typer.testing import CliRunner, Result

from features.errors import ReturnwiseError
from features.settings import get_settings
from pipelines.cli import Commands, app
from serving.settings import ServingSettings
from tests.support.commands import commands

CONTRACT = (
    "simulate",
    "ingest",
    "features build",
    "train",
    "evaluate",
    "search",
    "promote",
    "challenge",
    "compare",
    "drift",
    "serve",
    "score",
    "keys create",
    "keys list",
    "keys revoke",
    "staff add",
    "staff link",
    "staff list",
    "staff disable",
    "staff enable",
    "webhooks add",
    "webhooks list",
    "webhooks disable",
    "webhooks enable",
    "webhooks rotate",
    "webhooks retry",
    "webhooks test",
    "shops connect",
    "shops list",
    "shops disconnect",
    "cases sweep",
    "policy check",
    "policy show",
    "policy simulate",
    "retention",
    "demo",
)


def invoke(*arguments: str, to: typer.Typer = app) -> Result:
    return CliRunner().invoke(to, list(arguments))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    return tmp_path / "home"


class TestHelp:
    def test_the_commands_are_those_of_the_contract(self) -> None:
        assert sorted(commands(app)) == sorted(CONTRACT)

    @pytest.mark.parametrize("command", CONTRACT)
    def test_each_command_says_what_it_does(self, command: str) -> None:
        result = invoke(*command.split(), "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.stdout
        assert len(result.stdout.split("\n\n")) >= 2

    @pytest.mark.parametrize(
        ("command", "default"),
        [
            ("ingest", "a new one in the home"),
            ("score", "a new one in the home"),
            ("promote", "the newest"),
            ("evaluate", "the champion, else the newest"),
        ],
    )
    def test_defaults_in_words_are_shown(self, command: str, default: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "160")
        assert f"[default: ({default})]" in invoke(command, "--help").stdout

    def test_help_imports_no_room(self) -> None:
        """A person who asks for help does not wait for LightGBM, Feast or MLflow."""
        script = (
            "import sys\n"
            "from typer.testing import CliRunner\n"
            "from pipelines.cli import app\n"
            "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0\n"
            "slow = {'numpy', 'pandas', 'lightgbm', 'feast', 'mlflow', 'fastapi', 'sqlalchemy'}\n"
            "print(sorted(slow & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_without_a_command_the_help_is_shown(self) -> None:
        result = invoke()
        assert result.exit_code == 2
        assert "simulate" in result.output


def failing(error: BaseException) -> typer.Typer:
    """An application whose only command in a group raises."""
    outer = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
    inner = typer.Typer()
    outer.add_typer(inner, name="group")

    @inner.callback()
    def group() -> None:
        """Hold the command."""

    @inner.command()
    def fail() -> None:
        raise error

    return outer


class TestErrors:
    def test_an_expected_error_is_one_line_on_stderr(self) -> None:
        result = invoke("group", "fail", to=failing(ReturnwiseError("there is no champion yet")))
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "returnwise: there is no champion yet\n")

    def test_an_expected_error_may_carry_its_own_exit_status(self) -> None:
        error = ReturnwiseError("no")
        error.exit_code = 3
        assert invoke("group", "fail", to=failing(error)).exit_code == 3

    def test_a_message_with_brackets_is_printed_as_it_is(self) -> None:
        result = invoke("group", "fail", to=failing(ReturnwiseError("column [bold]x[/bold] :smile: is missing")))
        assert result.stderr == "returnwise: column [bold]x[/bold] :smile: is missing\n"

    def test_a_file_that_cannot_be_opened_is_named(self) -> None:
        result = invoke("group", "fail", to=failing(PermissionError(13, "Permission denied", "ledger.db")))
        assert (result.exit_code, result.stderr) == (1, "returnwise: Permission denied: ledger.db\n")

    def test_an_interruption_is_one_line(self) -> None:
        result = invoke("group", "fail", to=failing(KeyboardInterrupt()))
        assert (result.exit_code, result.stderr) == (130, "returnwise: interrupted; running it again is safe\n")

    @pytest.mark.parametrize("kind", [OperationalError, DatabaseError])
    def test_a_database_that_cannot_be_used_is_one_line(self, kind: type[DatabaseError]) -> None:
        error = kind("SELECT 1", None, Exception("file is not\na database"))
        result = invoke("group", "fail", to=failing(error))
        expected = "returnwise: the database cannot be used: file is not a database\n"
        assert (result.exit_code, result.stderr) == (1, expected)

    def test_a_defect_in_a_statement_keeps_its_traceback(self) -> None:
        result = invoke("group", "fail", to=failing(IntegrityError("INSERT", None, Exception("not unique"))))
        assert isinstance(result.exception, IntegrityError)

    def test_a_defect_keeps_its_traceback(self) -> None:
        result = invoke("group", "fail", to=failing(ZeroDivisionError("defect")))
        assert isinstance(result.exception, ZeroDivisionError)

    def test_an_unknown_option_is_a_usage_error(self) -> None:
        assert invoke("train", "--no-such-option").exit_code == 2

    def test_a_setting_that_does_not_fit_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETURNWISE_MAX_EVENTS", "many")
        with pytest.raises(ValidationError) as caught:
            ServingSettings()
        result = invoke("group", "fail", to=failing(caught.value))
        assert result.exit_code == 1
        assert result.stderr.startswith("returnwise: RETURNWISE_MAX_EVENTS: Input should be a valid integer")
        assert len(result.stderr.splitlines()) == 1

    def test_a_history_that_ends_in_the_future_is_one_line(self, tmp_path: Path) -> None:
        result = invoke("simulate", "--out", str(tmp_path / "tables"), "--end", "2999-01-01")
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1].startswith("returnwise: 2999-01-01 is not over yet")
        assert not (tmp_path / "tables").exists()

    def test_a_recipe_that_cannot_be_used_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text("[trees]\nnum_leaves = 0\n")
        result = invoke("train", "--recipe", str(tmp_path / "mine.toml"))
        assert result.exit_code == 1
        assert "mine.toml: trees.num_leaves: Input should be greater than or equal to 2" in result.stderr
        assert invoke("train", "--recipe", str(tmp_path / "none.toml")).exit_code == 1

    def test_a_folder_that_is_not_there_is_one_line(self, tmp_path: Path) -> None:
        result = invoke("ingest", str(tmp_path / "nowhere"))
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1].startswith("returnwise: ")
        assert "nowhere" in result.stderr
        assert "Traceback" not in result.output
