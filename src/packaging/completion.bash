# Completes commands and options of headrace, as its own --help lists them.
_headrace() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word help choices
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || { command=$word; break; }
    done
    help=$("${COMP_WORDS[0]}" ${command:+"$command"} --help 2>/dev/null) || return
    help=$(sed -E ':a; N; $!ba; s/\n {20,}/ /g' <<<"$help") # meanings that were broken into lines
    # An option that takes one of several words: "...: off|verify|enforce [off]".
    [[ $previous != -* ]] || choices=$(sed -nE "s/^ *$previous [A-Z].*[: ]([a-z-]+(\|[a-z-]+)+).*/\1/p" <<<"$help" | tr '|' ' ')
    if [ -n "$choices" ]; then
        COMPREPLY=($(compgen -W "$choices" -- "$current"))
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(grep -oE '^ +--[a-z0-9-]+' <<<"$help")" -- "$current"))
    elif [ -z "$command" ]; then
        COMPREPLY=($(compgen -W "$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\).*/\1/p' <<<"$help")" -- "$current"))
    fi
}
complete -o bashdefault -o default -F _headrace headrace
