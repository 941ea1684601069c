#!/usr/bin/python3
"""Generates claimsctl's completions for bash, zsh and fish from its command line as data
(command_words), while claimsctl is built: completions.py COMMAND_WORDS DIRECTORY.

The name of a value decides its completion: FILE, PATH and DIR by files, USER by users of the host,
"a|b" by these words, others by nothing.
"""

import json
import pathlib
import subprocess
import sys

NOTICE = "Completions of claimsctl(1). Generated from its table of commands."


def is_positional(option):
    return not option["names"]


def options(command):
    return [one for one in command["options"] if not is_positional(one)]


def names(command):
    return [name for one in options(command) for name in one["names"]]


def paths(command, before=()):
    """Every command with the words that lead to it; first the program itself, with no words."""
    yield before, command
    for one in command["commands"]:
        yield from paths(one, (*before, one["name"]))


def completed_by(value, *, files, directories, users, words, nothing):
    """The completion for this kind of value, out of those given; `words` builds it from a list."""
    if "|" in value:
        return words(value.replace("|", " "))
    return {"FILE": files, "PATH": files, "DIR": directories, "USER": users}.get(value, nothing)


def bash_values(value):
    return completed_by(value, files='compgen -f -- "$cur"', directories='compgen -d -- "$cur"', users='compgen -u -- "$cur"',
                        words=lambda given: f'compgen -W "{given}" -- "$cur"', nothing=":")


def bash(words):
    program = words["claimsctl"]
    lines = [f"# {NOTICE}", "_claimsctl()", "{", "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word skip=",
             "    local first=${COMP_WORDS[*]:1:COMP_CWORD-1}", "    COMPREPLY=()",
             "    # The commands among the words before, without options and their values.", "    for word in $first; do",
             '        if [[ -n $skip ]]; then skip=; continue; fi', '        case "$path $word" in']
    for path, command in paths(program):
        takers = [name for one in options(command) if one["value"] for name in one["names"]]
        if path:
            takers += [name for one in options(program) if one["value"] for name in one["names"]]
        lead = " ".join(path)
        for name in sorted(set(takers)):
            lines.append(f'            "{lead} {name}") skip=1 ;;')
        for one in command["commands"]:
            lines.append(f'            "{lead} {one["name"]}") path="{" ".join((*path, one["name"]))}" ;;')
    lines += ["        esac", "    done", '    case "$path $prev" in']
    for path, command in paths(program):
        for one in options(command) + (options(program) if path else []):
            if one["value"]:
                patterns = "|".join(f'"{" ".join(path)} {name}"' for name in one["names"])
                lines.append(f"        {patterns}) mapfile -t COMPREPLY < <({bash_values(one['value'])}); return ;;")
    lines += ["    esac", '    case "$path" in']
    for path, command in paths(program):
        given = " ".join([one["name"] for one in command["commands"]])
        flags = " ".join(dict.fromkeys(names(command) + (names(program) if path else [])))
        positional = [one for one in command["options"] if is_positional(one)]
        plain = bash_values(positional[0]["value"]) if positional else f'compgen -W "{given}" -- "$cur"' if given else ":"
        lines += [f'        "{" ".join(path)}")', "            if [[ $cur == -* ]]; then", f'                mapfile -t COMPREPLY < <(compgen -W "{flags}" -- "$cur")',
                  "            else", f"                mapfile -t COMPREPLY < <({plain})", "            fi ;;"]
    lines += ["    esac", "}", "complete -o filenames -F _claimsctl claimsctl"]
    return "\n".join(lines) + "\n"


def zsh_quoted(words):
    return words.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_action(value):
    return completed_by(value, files="_files", directories="_files -/", users="_users", words=lambda given: f"({given})", nothing="")


def zsh_specs(command):
    for one in command["options"]:
        value = f":{one['value'].split('|')[0].lower()}:{zsh_action(one['value'])}" if one["value"] else ""
        for name in one["names"]:
            yield f"'{name}[{zsh_quoted(one['help'])}]{value}'"
        if is_positional(one):
            yield f"'::{one['value'].split('|')[0].lower()}:{zsh_action(one['value'])}'"


def zsh(words):
    program = words["claimsctl"]
    lines = ["#compdef claimsctl", f"# {NOTICE}", ""]
    for path, command in paths(program):
        function = "_" + "_".join(("claimsctl", *path)).replace("-", "_")
        specs = list(dict.fromkeys([*zsh_specs(command), *(zsh_specs(program) if path else [])]))
        lines += [f"{function}() {{"]
        if command["commands"]:
            lines += ["    local curcontext=$curcontext state line", "    _arguments -C \\", *[f"        {spec} \\" for spec in specs],
                      "        '1: :->command' '*:: :->words'", "    case $state in", "        command)", "            local -a commands=("]
            lines += [f"                '{one['name']}:{zsh_quoted(one['help'])}'" for one in command["commands"]]
            lines += ["            )", "            _describe command commands ;;", "        words)", "            case $line[1] in"]
            lines += [f"                {one['name']}) {function}_{one['name'].replace('-', '_')} ;;" for one in command["commands"]]
            lines += ["            esac ;;", "    esac"]
        else:
            lines += ["    _arguments \\", *[f"        {spec} \\" for spec in specs[:-1]], f"        {specs[-1]}"]
        lines += ["}", ""]
    return "\n".join(lines) + '_claimsctl "$@"\n'


def fish_quoted(words):
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_value(value):
    return completed_by(value, files=" -r -F", directories=" -r -F", users=" -x -a '(__fish_complete_users)'",
                        words=lambda given: f" -x -a {fish_quoted(given)}", nothing=" -x" if value else "")


def fish(words):
    program = words["claimsctl"]
    lines = [f"# {NOTICE}", "complete -c claimsctl -f"]
    for path, command in paths(program):
        given = " ".join(one["name"] for one in command["commands"])
        here = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path)
        next_word = f"not __fish_seen_subcommand_from {given}"
        for one in command["commands"]:
            when = f"{here}; and {next_word}" if path else next_word
            lines.append(f"complete -c claimsctl -n {fish_quoted(when)} -a {one['name']} -d {fish_quoted(one['help'])}")
        where = f" -n {fish_quoted(here)}" if path else ""
        for one in command["options"]:
            flags = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in one["names"])
            if is_positional(one):
                plain = completed_by(one["value"], files="-F", directories="-F", users="-a '(__fish_complete_users)'",
                                     words=lambda given: f"-a {fish_quoted(given)}", nothing="")
                lines.append(f"complete -c claimsctl{where} {plain}".rstrip())
            else:
                lines.append(f"complete -c claimsctl{where}{flags}{fish_value(one['value'])} -d {fish_quoted(one['help'])}")
    return "\n".join(lines) + "\n"


FILES = {"claimsctl.bash": bash, "_claimsctl": zsh, "claimsctl.fish": fish}


def main(program, directory):
    words = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        pathlib.Path(directory, name).write_text(make(words), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
