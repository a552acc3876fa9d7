#!/bin/sh
# One picture from the API, with curl and jq: a driver for `safelight check client`.
set -u
export LC_ALL=C.UTF-8
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
sleeper=
trap 'say interrupted "interrupted"; kill $sleeper 2>/dev/null; exit 1' TERM INT
printf 'header = "x-api-key: %s"\n' "$SAFELIGHT_API_KEY" >"$work/key" # not on the command line, where ps shows it
task=${SAFELIGHT_TASK_ID:-}
began=$(date +%s)

say() { # say OUTCOME REASON: the last line of the output
    jq -cn --arg outcome "$1" --arg reason "$2" --arg task "$task" '{$outcome, $reason, task_id: $task}'
}

fail() {
    say failed "$1"
    exit 1
}

pause() { # pause SECONDS, within the deadline
    if [ "$(($(date +%s) - began))" -ge "${SAFELIGHT_DEADLINE_SECONDS%.*}" ]; then
        say "gave up" "no end by the deadline"
        exit 3
    fi
    sleep "$1" &
    sleeper=$!
    wait "$sleeper" # so that a signal is obeyed at once
}

ask() { # ask CURL-OPTION...: the answer in $work/body, its status in $status; 000 where there is none
    status=$(curl -sS -K "$work/key" --max-time "$SAFELIGHT_REQUEST_TIMEOUT_SECONDS" --max-filesize 2000000 \
        -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" 2>"$work/error") || status=000
    [ "$status" != 000 ] || : >"$work/body"
}

of() { # of FILTER: a text in the answer, or nothing
    jq -r "($1) // empty | strings" "$work/body" 2>/dev/null
}

reason() {
    found=$(of '[.error.message?, .error?, .message?] | map(strings) | first' | tr -d '\000-\037\177')
    printf '%s' "${found:-HTTP $status, and no reason}"
}

if [ -z "$task" ]; then
    printf '%s' "$SAFELIGHT_PARAMETERS" >"$work/request"
    # Sent once: an answer that is lost may have been paid for.
    ask -X POST -H 'content-type: application/json' --data-binary "@$work/request" \
        "$SAFELIGHT_BASE_URL?endpoint=image_generation"
    case $status in
        2??) ;;
        *) fail "the submit: $(reason)" ;;
    esac
    [ "$(jq -r '.success' "$work/body" 2>/dev/null)" = true ] || fail "the submit: $(reason)"
    task=$(of .data.id)
    [ -n "$task" ] || fail "the answer to the submit has no task id"
fi

bad=0
gap=$SAFELIGHT_POLL_SECONDS
while :; do
    ask -G --data-urlencode "task_id=$task" "$SAFELIGHT_BASE_URL?endpoint=task_status"
    word=$(of .data.status)
    id=$(of .data.id)
    case $status in
        401 | 402 | 403) fail "$(reason)" ;;
    esac
    if [ "$status" = 200 ] && [ -n "$word" ] && [ "${id:-$task}" = "$task" ]; then
        case $word in
            completed | done) break ;;
            failed | cancelled)
                error=$(of '[.data.error.message?, .data.error?] | map(strings) | first' | tr -d '\000-\037\177')
                fail "the task has $word: ${error:-no reason was given}"
                ;;
        esac
        bad=0
        gap=$SAFELIGHT_POLL_SECONDS
    else
        bad=$((bad + 1))
        [ "$bad" -lt 6 ] || fail "the status of task $task is unknown: HTTP $status"
        gap=$(awk "BEGIN { print $gap * 1.5 }")
        after=$(tr -d '\r' <"$work/head" 2>/dev/null | sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\)$/\1/p')
        [ "$status" != 429 ] || gap=${after:-$gap}
    fi
    pause "$gap"
done

url=$(of '[.data.result.image_url?, .data.result.video_url?] | map(strings) | first')
[ -n "$url" ] || fail "the task is done, and there is no URL of its picture"
case $url in
    /*) url=$(printf '%s' "$SAFELIGHT_BASE_URL" | sed 's|^\([a-z]*://[^/]*\).*|\1|')$url ;;
esac
file=$SAFELIGHT_OUT_DIR/$(printf '%s' "$task" | tr -cd 'A-Za-z0-9-').png
for number in 1 2 3 4; do
    # Without the key: the picture can live anywhere.
    if curl -sS -f --proto =http,https --max-time "$SAFELIGHT_REQUEST_TIMEOUT_SECONDS" -o "$work/picture" "$url" 2>"$work/error"; then
        case $(od -An -tx1 -N4 "$work/picture" | tr -d ' ') in
            89504e47 | ffd8ff* | 1a45dfa3)
                cp "$work/picture" "$file"
                jq -cn --arg file "$file" --arg task "$task" '{outcome: "ok", $file, task_id: $task}'
                exit 0
                ;;
        esac
    fi
    pause "$SAFELIGHT_POLL_SECONDS"
done
fail "the picture cannot be had"
