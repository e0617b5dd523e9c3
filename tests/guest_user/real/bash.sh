# Debian's bash-static: what it has beyond a POSIX shell, much of it built on pipes, descriptors and job control.
bash --norc <<'BASH'
declare -A map=([one]=1 [two]=2); map[three]=3; for k in $(printf '%s\n' "${!map[@]}" | sort); do echo "$k=${map[$k]}"; done
list=(a b "c d"); list+=(e); echo "${#list[@]} ${list[2]} ${list[@]: -2} ${list[*]/#/x}"
diff <(seq 1 5) <(seq 1 5 | sed 's/3/three/'); paste -d: <(seq 3) <(seq 3 | tac)
echo lines | tee >(tr a-z A-Z >upper) >/dev/null; while [ ! -s upper ]; do sleep 0.05; done; cat upper
coproc CAT { cat; }; echo "through a coprocess" >&"${CAT[1]}"; read -r line <&"${CAT[0]}"; echo "$line"; kill "$CAT_PID"; wait "$CAT_PID"; echo "$?"
mapfile -t lines < <(seq 1 1000); echo "${#lines[@]} ${lines[999]}"
[[ "pid=42 name=init" =~ pid=([0-9]+)\ name=(.*) ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
cat <<<"a here-string of $((2 ** 10))"; echo {a..e}{1,2} | wc -w; printf '%q %(%Y)T\n' "it's" 86400
(exit 3) & (exit 4) & wait -n; echo "first $?" | tr 34 xx; wait; read -r -t 0.2 -u 9 9< <(sleep 1); echo "late $(($? > 128))"
trap 'echo "line $LINENO failed"' ERR; false; trap - ERR; f() { trap 'echo returned' RETURN; echo "${FUNCNAME[0]}"; }; f
bash -c 'set -m; sleep 50 & kill -STOP $!; sleep 0.2; jobs -s | awk "{print \$2, \$3}"; kill -KILL $!'
shopt -s extglob globstar
mkdir -p x/y/z; touch x/y/z/{1,2,30}; echo x/**/!(1); echo "${PIPESTATUS[@]}"; true | false | (exit 5); echo "${PIPESTATUS[@]}"
exec {fd}>named; echo "to a named descriptor" >&$fd; exec {fd}>&-; cat named; ulimit -S -n 64; ulimit -S -n
for ((i = 0; i < 200; i++)); do x=$( (echo "$i") ); done; echo "$x"; echo "$BASH_SUBSHELL $(echo "$BASH_SUBSHELL")"
time_out() { local TIMEFORMAT='%R'; time "$@"; }; time_out true 2>&1 | grep -c '^[0-9.]*$'; echo "${x^^} ${x@Q} ${!PIPE*}"
kill -SEGV $$
BASH
echo "status $?"
