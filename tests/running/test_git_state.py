"""Commit and state of a recipe's repository are read from its files; nothing of a stranger's folder is started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from skinframe.running.git_state import git_state

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Return git in a new repository with one committed file."""
    root = tmp_path / "repository"
    root.mkdir()
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(tmp_path)}
    settings |= {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def run(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, text=True).stdout

    run("init", "-q")
    (root / "recipe.yaml").write_text("name: a\n")
    (root / "sub").mkdir()
    (root / "sub" / "long name with äöü.txt").write_text("x")
    run("add", ".")
    run("commit", "-q", "-m", "first")
    return run


def test_a_clean_and_a_changed_repository(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    head = git("rev-parse", "HEAD").strip()
    assert git_state(root) == git_state(root / "sub") == {"commit": head, "dirty": False}
    os.utime(root / "recipe.yaml", (1, 1))
    assert git_state(root) == {"commit": head, "dirty": False}, "another time is no change"
    (root / "untracked").write_text("x")
    assert git_state(root) == {"commit": head, "dirty": False}
    (root / "recipe.yaml").write_text("name: b\n")
    assert git_state(root) == {"commit": head, "dirty": True}
    git("add", ".")
    assert git_state(root) == {"commit": head, "dirty": None}, "staged changes cannot be told without git"
    git("commit", "-q", "-m", "second")
    assert git_state(root) == {"commit": git("rev-parse", "HEAD").strip(), "dirty": False}
    git("reset", "-q", "--soft", "HEAD~1")
    assert git_state(root) == {"commit": head, "dirty": True}
    git("reset", "-q", "--hard")
    (root / "recipe.yaml").unlink()
    assert git_state(root) == {"commit": head, "dirty": True}


def test_packed_detached_and_worktrees(git: Git, tmp_path: Path) -> None:
    root, head = tmp_path / "repository", git("rev-parse", "HEAD").strip()
    git("worktree", "add", "-q", "../other", "-b", "side")
    assert git_state(tmp_path / "other") == {"commit": head, "dirty": False}
    git("gc", "-q")
    assert (root / ".git" / "packed-refs").is_file()
    assert git_state(root) == git_state(tmp_path / "other") == {"commit": head, "dirty": False}
    git("checkout", "-q", "--detach")
    assert git_state(root) == {"commit": head, "dirty": False}


@pytest.mark.parametrize(
    "setting", ["filter.x.clean", "filter.x.process", "core.fsmonitor", "core.pager", "diff.x.textconv"]
)
def test_a_repository_that_wants_to_run_a_command_runs_none(git: Git, tmp_path: Path, setting: str) -> None:
    root, canary = tmp_path / "repository", tmp_path / "canary"
    (root / ".gitattributes").write_text("* filter=x diff=x\n")
    git("add", ".")
    git("commit", "-q", "-m", "attributes")
    git("config", setting, f"touch {canary}; cat")
    git("config", "include.path", str(tmp_path / "more"))
    (root / "recipe.yaml").write_text("name: changed\n")
    state = git_state(root)
    assert state is not None
    assert state["dirty"] is True
    assert not canary.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("HEAD", b"ref: ../../secret"),
        ("HEAD", b"ref: refs/heads/../../../secret"),
        ("HEAD", b"secret"),
        ("HEAD", b"\xff\x00" * 50),
        ("HEAD", b"ref: refs/heads/" + b"x" * 3000),
        ("HEAD", b""),
    ],
)
def test_a_strange_head_is_no_commit(git: Git, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "secret").write_text("a" * 40)
    (tmp_path / "repository" / ".git" / name).write_bytes(content)
    assert git_state(tmp_path / "repository") is None


@pytest.mark.parametrize("cut", [0, 5, 12, 30, 80, 120, -1])
def test_a_damaged_index_says_nothing(git: Git, tmp_path: Path, cut: int) -> None:
    index = tmp_path / "repository" / ".git" / "index"
    index.write_bytes(index.read_bytes()[:cut])
    state = git_state(tmp_path / "repository")
    assert state is not None
    assert state["dirty"] in (None, False)


def test_pipes_and_links_are_not_waited_for(git: Git, tmp_path: Path) -> None:
    place = tmp_path / "repository" / ".git"
    (place / "HEAD").unlink()
    os.mkfifo(place / "HEAD")
    assert git_state(tmp_path / "repository") is None
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / ".git").write_text("gitdir: /dev/zero")
    assert git_state(loop) is None
