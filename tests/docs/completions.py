"""Completions of claimsctl for bash, zsh and fish, from its command line as data (command_words). Pure.

What a value is called says what it is completed with: FILE, PATH and DIR by files, USER by users of the host, "a|b" by these words, others by nothing.
"""

FILES = {"FILE", "PATH"}
NOTICE = "Completions of claimsctl(1). Written by tests/docs/doc_tables.py from the table of commands."


def is_positional(option):
    return not option["names"]


def options(command):
    return [one for one in command["options"] if not is_positional(one)]


def names(command):
    return [name for one in options(command) for name in one["names"]]


def paths(command, before=()):
    """Every command with the words that lead to it, the program itself first with none."""
    yield before, command
    for one in command["commands"]:
        yield from paths(one, (*before, one["name"]))


def bash_values(option):
    value = option["value"]
    if value in FILES:
        return 'compgen -f -- "$cur"'
    if value == "DIR":
        return 'compgen -d -- "$cur"'
    if value == "USER":
        return 'compgen -u -- "$cur"'
    return f'compgen -W "{value.replace("|", " ")}" -- "$cur"' if "|" in value else ":"


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
                lines.append(f'        {patterns}) mapfile -t COMPREPLY < <({bash_values(one)}); return ;;')
    lines += ["    esac", '    case "$path" in']
    for path, command in paths(program):
        given = " ".join([one["name"] for one in command["commands"]])
        flags = " ".join(dict.fromkeys(names(command) + (names(program) if path else [])))
        positional = [one for one in command["options"] if is_positional(one)]
        plain = bash_values(positional[0]) if positional else f'compgen -W "{given}" -- "$cur"' if given else ":"
        lines += [f'        "{" ".join(path)}")', "            if [[ $cur == -* ]]; then", f'                mapfile -t COMPREPLY < <(compgen -W "{flags}" -- "$cur")',
                  "            else", f"                mapfile -t COMPREPLY < <({plain})", "            fi ;;"]
    lines += ["    esac", "}", "complete -o filenames -F _claimsctl claimsctl"]
    return "\n".join(lines) + "\n"


def zsh_quoted(words):
    return words.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_action(value):
    if value in FILES:
        return "_files"
    if value == "DIR":
        return "_files -/"
    if value == "USER":
        return "_users"
    return f"({value.replace('|', ' ')})" if "|" in value else ""


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
    if value in FILES or value == "DIR":
        return " -r -F"
    if value == "USER":
        return " -x -a '(__fish_complete_users)'"
    return f" -x -a {fish_quoted(value.replace('|', ' '))}" if "|" in value else " -x" if value else ""


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
                lines.append(f"complete -c claimsctl{where} {'-F' if one['value'] in FILES else '-a ' + fish_quoted(one['value'].replace('|', ' '))}")
            else:
                lines.append(f"complete -c claimsctl{where}{flags}{fish_value(one['value'])} -d {fish_quoted(one['help'])}")
    return "\n".join(lines) + "\n"


FILES_OF = {"client/claimsctl/completions/claimsctl.bash": bash, "client/claimsctl/completions/_claimsctl": zsh,
            "client/claimsctl/completions/claimsctl.fish": fish}
