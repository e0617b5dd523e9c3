# Scripts that fork two hundred times, each in another way.
n=0; for i in $(seq 1 200); do x=$(echo "$i"); n=$((n + x)); done; echo "substitutions: $n"
for i in $(seq 1 200); do (exit $((i % 7))); s="$s$?"; done; echo "$s" | md5sum | cut -c 1-32
for i in $(seq 1 200); do echo "$i" & done | sort -n | tail -n 2; wait
for i in $(seq 1 200); do /bin/busybox true || echo "failed"; done; echo "execs"
i=0; while [ $i -lt 200 ]; do sh -c "exit $((i % 3))"; r=$((r + $?)); i=$((i + 1)); done; echo "statuses: $r"
for i in $(seq 1 200); do sleep 0.3 & done; wait; echo "waited for $(jobs | wc -l) left"
deep() { if [ "$1" -gt 0 ]; then echo "$(deep $(($1 - 1)))x"; else echo .; fi; }
deep 40
seq 1 200 | xargs -n 1 echo | wc -l
seq 1 200 | xargs -n 7 sh -c 'echo $#' sh | sort | uniq -c | awk '{print $1, $2}'
