# Completions of claimsctl(1). Written by tests/docs/doc_tables.py from the table of commands.
_claimsctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word skip=
    local first=${COMP_WORDS[*]:1:COMP_CWORD-1}
    COMPREPLY=()
    # The commands among the words before, without options and their values.
    for word in $first; do
        if [[ -n $skip ]]; then skip=; continue; fi
        case "$path $word" in
            " --admin-socket") skip=1 ;;
            " --socket") skip=1 ;;
            " query") path="query" ;;
            " status") path="status" ;;
            " doctor") path="doctor" ;;
            " top") path="top" ;;
            " statistics") path="statistics" ;;
            " entries") path="entries" ;;
            " show") path="show" ;;
            " monitor") path="monitor" ;;
            " metrics") path="metrics" ;;
            " ping") path="ping" ;;
            " purge") path="purge" ;;
            " revoke") path="revoke" ;;
            " config") path="config" ;;
            " check-config") path="check-config" ;;
            " reload") path="reload" ;;
            " log-level") path="log-level" ;;
            " audit") path="audit" ;;
            "query --admin-socket") skip=1 ;;
            "query --max-age") skip=1 ;;
            "query --socket") skip=1 ;;
            "query --timeout") skip=1 ;;
            "query --token-file") skip=1 ;;
            "query --upstream") skip=1 ;;
            "status --admin-socket") skip=1 ;;
            "status --socket") skip=1 ;;
            "doctor --admin-socket") skip=1 ;;
            "doctor --config") skip=1 ;;
            "doctor --socket") skip=1 ;;
            "doctor --worker") skip=1 ;;
            "top --admin-socket") skip=1 ;;
            "top --interval") skip=1 ;;
            "top --socket") skip=1 ;;
            "statistics --admin-socket") skip=1 ;;
            "statistics --socket") skip=1 ;;
            "entries --admin-socket") skip=1 ;;
            "entries --limit") skip=1 ;;
            "entries --socket") skip=1 ;;
            "entries --user") skip=1 ;;
            "show --admin-socket") skip=1 ;;
            "show --socket") skip=1 ;;
            "show --token-file") skip=1 ;;
            "show --user") skip=1 ;;
            "monitor --admin-socket") skip=1 ;;
            "monitor --count") skip=1 ;;
            "monitor --socket") skip=1 ;;
            "metrics --admin-socket") skip=1 ;;
            "metrics --socket") skip=1 ;;
            "ping --admin-socket") skip=1 ;;
            "ping --count") skip=1 ;;
            "ping --socket") skip=1 ;;
            "ping --timeout") skip=1 ;;
            "purge --admin-socket") skip=1 ;;
            "purge --socket") skip=1 ;;
            "purge --token-file") skip=1 ;;
            "purge --upstream") skip=1 ;;
            "purge --user") skip=1 ;;
            "revoke --admin-socket") skip=1 ;;
            "revoke --for") skip=1 ;;
            "revoke --socket") skip=1 ;;
            "revoke --token-file") skip=1 ;;
            "revoke --upstream") skip=1 ;;
            "revoke --user") skip=1 ;;
            "config --admin-socket") skip=1 ;;
            "config --socket") skip=1 ;;
            "check-config --admin-socket") skip=1 ;;
            "check-config --claimsd") skip=1 ;;
            "check-config --socket") skip=1 ;;
            "reload --admin-socket") skip=1 ;;
            "reload --socket") skip=1 ;;
            "log-level --admin-socket") skip=1 ;;
            "log-level --socket") skip=1 ;;
            "audit --admin-socket") skip=1 ;;
            "audit --socket") skip=1 ;;
            "audit tail") path="audit tail" ;;
            "audit search") path="audit search" ;;
            "audit report") path="audit report" ;;
            "audit verify") path="audit verify" ;;
            "audit export") path="audit export" ;;
            "audit stat") path="audit stat" ;;
            "audit tail --admin-socket") skip=1 ;;
            "audit tail --directory") skip=1 ;;
            "audit tail --lines") skip=1 ;;
            "audit tail --socket") skip=1 ;;
            "audit tail -n") skip=1 ;;
            "audit search --admin-socket") skip=1 ;;
            "audit search --directory") skip=1 ;;
            "audit search --event") skip=1 ;;
            "audit search --key-file") skip=1 ;;
            "audit search --limit") skip=1 ;;
            "audit search --peer") skip=1 ;;
            "audit search --since") skip=1 ;;
            "audit search --socket") skip=1 ;;
            "audit search --until") skip=1 ;;
            "audit search --user") skip=1 ;;
            "audit search --verdict") skip=1 ;;
            "audit report --admin-socket") skip=1 ;;
            "audit report --directory") skip=1 ;;
            "audit report --event") skip=1 ;;
            "audit report --key-file") skip=1 ;;
            "audit report --peer") skip=1 ;;
            "audit report --since") skip=1 ;;
            "audit report --socket") skip=1 ;;
            "audit report --until") skip=1 ;;
            "audit report --user") skip=1 ;;
            "audit report --verdict") skip=1 ;;
            "audit verify --admin-socket") skip=1 ;;
            "audit verify --anchors") skip=1 ;;
            "audit verify --directory") skip=1 ;;
            "audit verify --root-key") skip=1 ;;
            "audit verify --socket") skip=1 ;;
            "audit export --admin-socket") skip=1 ;;
            "audit export --directory") skip=1 ;;
            "audit export --event") skip=1 ;;
            "audit export --format") skip=1 ;;
            "audit export --key-file") skip=1 ;;
            "audit export --peer") skip=1 ;;
            "audit export --since") skip=1 ;;
            "audit export --socket") skip=1 ;;
            "audit export --until") skip=1 ;;
            "audit export --user") skip=1 ;;
            "audit export --verdict") skip=1 ;;
            "audit stat --admin-socket") skip=1 ;;
            "audit stat --directory") skip=1 ;;
            "audit stat --socket") skip=1 ;;
        esac
    done
    case "$path $prev" in
        " --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        " --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "query --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "query --upstream") mapfile -t COMPREPLY < <(:); return ;;
        "query --timeout") mapfile -t COMPREPLY < <(:); return ;;
        "query --max-age") mapfile -t COMPREPLY < <(:); return ;;
        "query --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "query --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "status --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "status --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "doctor --config") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "doctor --worker") mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
        "doctor --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "doctor --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "top --interval") mapfile -t COMPREPLY < <(:); return ;;
        "top --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "top --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "statistics --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "statistics --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "entries --user") mapfile -t COMPREPLY < <(:); return ;;
        "entries --limit") mapfile -t COMPREPLY < <(:); return ;;
        "entries --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "entries --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "show --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "show --user") mapfile -t COMPREPLY < <(:); return ;;
        "show --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "show --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "monitor --count") mapfile -t COMPREPLY < <(:); return ;;
        "monitor --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "monitor --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "metrics --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "metrics --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "ping --count") mapfile -t COMPREPLY < <(:); return ;;
        "ping --timeout") mapfile -t COMPREPLY < <(:); return ;;
        "ping --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "ping --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "purge --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "purge --user") mapfile -t COMPREPLY < <(:); return ;;
        "purge --upstream") mapfile -t COMPREPLY < <(:); return ;;
        "purge --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "purge --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "revoke --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "revoke --user") mapfile -t COMPREPLY < <(:); return ;;
        "revoke --upstream") mapfile -t COMPREPLY < <(:); return ;;
        "revoke --for") mapfile -t COMPREPLY < <(:); return ;;
        "revoke --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "revoke --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "config --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "config --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "check-config --claimsd") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "check-config --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "check-config --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "reload --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "reload --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "log-level --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "log-level --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit tail -n"|"audit tail --lines") mapfile -t COMPREPLY < <(:); return ;;
        "audit tail --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit tail --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit tail --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit search --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit search --since") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --until") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --user") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --event") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --verdict") mapfile -t COMPREPLY < <(compgen -W "valid invalid unavailable" -- "$cur"); return ;;
        "audit search --peer") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --key-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit search --limit") mapfile -t COMPREPLY < <(:); return ;;
        "audit search --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit search --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit report --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit report --since") mapfile -t COMPREPLY < <(:); return ;;
        "audit report --until") mapfile -t COMPREPLY < <(:); return ;;
        "audit report --user") mapfile -t COMPREPLY < <(:); return ;;
        "audit report --event") mapfile -t COMPREPLY < <(:); return ;;
        "audit report --verdict") mapfile -t COMPREPLY < <(compgen -W "valid invalid unavailable" -- "$cur"); return ;;
        "audit report --peer") mapfile -t COMPREPLY < <(:); return ;;
        "audit report --key-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit report --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit report --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit verify --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit verify --anchors") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit verify --root-key") mapfile -t COMPREPLY < <(:); return ;;
        "audit verify --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit verify --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit export --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit export --since") mapfile -t COMPREPLY < <(:); return ;;
        "audit export --until") mapfile -t COMPREPLY < <(:); return ;;
        "audit export --user") mapfile -t COMPREPLY < <(:); return ;;
        "audit export --event") mapfile -t COMPREPLY < <(:); return ;;
        "audit export --verdict") mapfile -t COMPREPLY < <(compgen -W "valid invalid unavailable" -- "$cur"); return ;;
        "audit export --peer") mapfile -t COMPREPLY < <(:); return ;;
        "audit export --key-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit export --format") mapfile -t COMPREPLY < <(compgen -W "jsonl ecs ocsf csv" -- "$cur"); return ;;
        "audit export --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit export --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit stat --directory") mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        "audit stat --socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        "audit stat --admin-socket") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    esac
    case "$path" in
        "")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "--socket --admin-socket --json --version -h --help" -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W "query status doctor top statistics entries show monitor metrics ping purge revoke config check-config reload log-level audit" -- "$cur")
            fi ;;
        "query")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --token-file --upstream --timeout --max-age --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "status")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "doctor")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --config --worker --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "top")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --once --interval --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "statistics")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --all --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "entries")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --user --limit --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "show")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --token-file --user --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "monitor")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --count --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "metrics")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "ping")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --count --timeout --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "purge")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --token-file --user --all --upstream --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "revoke")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --token-file --user --all --upstream --for --lock --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "config")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --set --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "check-config")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --claimsd --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            fi ;;
        "reload")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "log-level")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$cur")
            fi ;;
        "audit")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(compgen -W "tail search report verify export stat" -- "$cur")
            fi ;;
        "audit tail")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help -n --lines -f --follow --directory --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "audit search")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --directory --since --until --user --event --verdict --peer --token --key-file --limit --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "audit report")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --directory --since --until --user --event --verdict --peer --token --key-file --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "audit verify")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --directory --anchors --root-key --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "audit export")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --directory --since --until --user --event --verdict --peer --token --key-file --format --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
        "audit stat")
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "-h --help --directory --socket --admin-socket --json --version" -- "$cur")
            else
                mapfile -t COMPREPLY < <(:)
            fi ;;
    esac
}
complete -o filenames -F _claimsctl claimsctl
