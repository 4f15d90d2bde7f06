"""A script by which a shell completes verbs, tasks, flags and their choices."""

import importlib

from viewfinder import nets
from viewfinder.cli.flags import flags_of, kind_of
from viewfinder.errors import InputError
from viewfinder.tasks import NAMES

SHELLS = ("bash", "zsh")

_SCRIPT = """\
_viewfinder() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{verbs} --help --version --completion"
  elif [ "$COMP_CWORD" -eq 2 ] && [ "${{COMP_WORDS[1]}}" = --completion ]; then
    words="{shells}"
  elif [ "$COMP_CWORD" -eq 2 ] && [ "${{COMP_WORDS[1]}}" = train ]; then
    words="{tasks}"
  else
    local called="${{COMP_WORDS[1]}}"
    [ "$called" = train ] && called="train ${{COMP_WORDS[2]}}"
    case "$called $before" in
{choices}
    esac
    if [ -z "$words" ]; then
      case "$word" in
        -*) case "$called" in
{flags}
        esac ;;
        *) case "$called $COMP_CWORD" in
          "explain 2") words="{nets}" ;;
          "weights 2") words="get" ;;
          "weights "*) words="{weights}" ;;
        esac ;;
      esac
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _viewfinder viewfinder
"""
# zsh's own completion is not begun where nothing in ~/.zshrc begins it.
_ZSH = """\
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit -i; }
autoload -U +X bashcompinit && bashcompinit
"""


def script(shell: str, verbs: list[str]) -> str:
    """What `viewfinder --completion SHELL` prints.

    Raises:
        InputError: another shell.
    """
    if shell not in SHELLS:
        raise InputError(f"--completion {shell}: give {' or '.join(SHELLS)}")
    from viewfinder.labelling.requested import PROPOSERS
    from viewfinder.nets.catalogue import known_weights

    flags, choices = [], []
    proposers = " ".join([*PROPOSERS, "coco"])
    for verb in verbs:
        module = importlib.import_module(f"viewfinder.cli.{verb}")
        for task in NAMES if verb == "train" else ("",):
            called = f"{verb} {task}".strip()
            taken = [flag for flag in flags_of(kind_of(module, [task])) if not flag.positional]
            names = " ".join(["--help", *(flag.name for flag in taken)])
            flags.append(f'        "{called}") words="{names}" ;;')
            choices += [
                f'      "{called} {flag.name}") words="{" ".join(flag.choices)}" ;;'
                for flag in taken
                if flag.choices
            ]
            if verb == "propose":
                choices.append(f'      "propose --by") words="{proposers}" ;;')
            if task:
                choices.append(f'      "{called} --net") words="{" ".join(nets.names(task))}" ;;')
                starts = "random imagenet" + (" coco" if task == "detect" else "")
                choices.append(f'      "{called} --init") words="{starts}" ;;')
    text = _SCRIPT.format(
        verbs=" ".join(verbs),
        tasks=" ".join(NAMES),
        shells=" ".join(SHELLS),
        nets=" ".join(nets.names()),
        weights=" ".join(dict.fromkeys(each.net for each in known_weights())),
        flags="\n".join(flags),
        choices="\n".join(choices),
    )
    return (_ZSH if shell == "zsh" else "") + text
