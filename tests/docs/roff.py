"""Renders tables and declarations as man(7) text. Pure."""

import re


def text(words):
    """Escapes plain words, so that roff takes none of them as a request or an escape."""
    out = words.replace("\\", "\\e").replace("…", "...").replace("µ", "\\(mc")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in out.split("\n"))


def literal(words):
    """Literal text to type: its hyphens are not typographic."""
    return text(words).replace("-", "\\-")


def prose(markdown):
    """A cell of a Markdown table: `code` in bold, emphasis in italics."""
    parts = re.split(r"(`[^`]*`|\*\([^*]*\)\*)", markdown.replace("\\|", "|"))
    return "".join(f"\\fB{literal(part[1:-1])}\\fR" if part.startswith("`") else f"\\fI{text(part[1:-1])}\\fR" if part.startswith("*(")
                   else text(part) for part in parts)


def item(head, body):
    return f".TP\n{head}\n{body}\n"


def rows(markdown):
    """The cells of the rows of a Markdown table, without its head."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def table(markdown, head):
    """A list: head(cells) makes the term; the last cell is its description."""
    return "".join(item(head(cells), prose(cells[-1])) for cells in rows(markdown))


def options_of_the_file(markdown):
    out = ""
    for title, body in re.findall(r"^### `(.*?)`\n(.*?)(?=^### |\Z)", markdown, re.DOTALL | re.MULTILINE):
        out += f".SS {literal(title)}\n"
        for name, default, allowed, meaning in rows(body):
            out += item(f"\\fB{literal(name.strip('`'))}\\fR = {prose(default)}", f"{prose(meaning)}\n.br\n{prose(allowed)}")
    return out


def option(one):
    names = ", ".join(f"\\fB{literal(name)}\\fR" for name in one["names"])
    value = "|".join(f"\\fI{literal(word)}\\fR" if word.isupper() else literal(word) for word in one["value"].split("|") if word)
    said = text(one["help"])
    if one["default"]:
        said += f" (default: {literal(one['default'])})"
    if one["environment"]:
        said += f"\n.br\nOr by the environment variable \\fB{one['environment']}\\fR"
    return item(f"{names} {value}".strip(), said + ".")


def is_help(one):
    return "--help" in one["names"]


def command(one, before="claimsctl"):
    out = f".SS {before} {literal(one['name'])} {literal(one['synopsis'])}\n{text(one['help'])}.\n"
    out += "".join(option(each) for each in one["options"] if not is_help(each))
    return out + "".join(command(each, f"{before} {one['name']}") for each in one["commands"])


def functions(header):
    """Each function of claimsd.h, or several that share a comment, with that comment."""
    out = ""
    for comment, declared in re.findall(r"/\*((?:(?!\*/).)*)\*/\n((?:CLAIMSD_API [^;]*;\n)+)", header, re.DOTALL):
        lines = [re.sub(r"^ ?\* ?", "", line.strip()) for line in comment.strip().splitlines()]
        for number, function in enumerate(re.findall(r"CLAIMSD_API ([^;]*;)", declared)):
            out += (".TP\n" if number == 0 else ".TQ\n") + "\\fB" + literal(" ".join(function.split())) + "\\fR\n"
        out += prose(" ".join(lines)).strip() + "\n"
    return out


def types(header):
    """The structs and enumerations of claimsd.h, verbatim."""
    found = re.findall(r"^typedef (?:struct|enum) \w+ \{.*?^\} \w+;", header, re.DOTALL | re.MULTILINE)
    return ".PP\n".join(f".nf\n{literal(one)}\n.fi\n" for one in found)
