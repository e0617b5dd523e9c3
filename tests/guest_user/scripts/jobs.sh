# Background jobs, wait, kill, traps, exit statuses.
sleep 0.1 & wait $!; echo "waited $?"
(exit 3) & wait $!; echo "status $?"
sleep 100 & kill $!; wait $! 2>/dev/null; echo "killed $?"
sh -c 'kill -9 $$'; echo "status $?"
trap 'echo trapped USR1' USR1; kill -USR1 $$; trap - USR1
trap 'echo on exit' EXIT
sh -c 'trap "echo term; exit 5" TERM; kill -TERM $$; sleep 1'; echo "status $?"
(trap '' INT; sh -c 'kill -INT $$; echo "not interrupted"')
sh -c 'exit 42'; echo "status $?"
nothing-of-that-name 2>/dev/null; echo "status $?"
printf '#!/bin/sh\necho "script $0 got $*"\n' >script; chmod +x script; ./script a b
for i in 1 2 3; do (echo "child $i") & wait; done
timeout 1 sleep 5; echo "status $?"
