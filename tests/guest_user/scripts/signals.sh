# Traps and signals of a shell's children, and what `wait` says of them.
for s in HUP INT QUIT TERM USR1 USR2 ALRM PIPE; do
    sh -c "trap 'echo got $s' $s; kill -$s \$\$"
    echo "$s: $?"
done
for s in HUP INT QUIT KILL TERM USR1 ALRM PIPE SEGV ABRT; do sh -c "kill -$s \$\$" 2>/dev/null; echo "$s: $?"; done
kill -l 15; kill -l 9; kill -l 2
trap 'echo parent caught USR1' USR1
(sleep 0.2; kill -USR1 $$) & sleep 1; wait; trap - USR1
# A trap cuts `wait` short; the child goes on.
trap 'echo interrupted' USR2
sleep 2 & child=$!
(sleep 0.3; kill -USR2 $$) & helper=$!
wait $child; echo "wait: $?"; wait $child; echo "then: $?"; wait $helper
trap - USR2
sh -c 'trap "" TERM; sh -c "kill -TERM \$\$; echo ignored is inherited"'
(trap 'echo subshell exit' EXIT; echo in; exit 4); echo "status $?"
sh -c 'kill -STOP $$; echo went on; exit 6' & stopped=$!
while ! grep -q '^State:.T' /proc/$stopped/status; do sleep 0.05; done
kill -CONT $stopped; wait $stopped; echo "status $?"
sleep 100 & sleep 100 & sleep 100 &
kill $(jobs -p); wait; echo "all $(jobs | wc -l)"
timeout -s KILL 0.2 sleep 9 2>/dev/null; echo "timeout: $?"
nohup sh -c 'kill -HUP $$; echo survived' 2>/dev/null
setsid sh -c 'ps -o pid,sid | awk -v me=$$ "\$1 == me {print (\$1 == \$2) ? \"leads\" : \"follows\"}"'
