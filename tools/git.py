"""Git's view of the project."""

import subprocess
import sys


def git(*words: str) -> str:
    """Run git in the working directory; return what it prints. Exits with one sentence if that is no repository."""
    try:
        return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit("error: git is missing, and experiments are kept in Git: install it")
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())
        sys.exit(f"error: experiments belong to a commit of a Git repository, but git says: {said}")
