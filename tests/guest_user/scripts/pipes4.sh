# Pipelines of four and more stages, with data that fills the pipes, and their exit statuses.
seq 1 5000 | awk '{print $1 % 97}' | sort -n | uniq -c | sort -k1,1nr -k2,2n | head -n 5
seq 1 100000 | sed 's/^/x/' | tr x y | grep -v 7 | tail -n 3
dd if=/dev/zero bs=64k count=64 2>/dev/null | tr '\0' 'a' | fold -w 64 | wc -lc
cat /dev/zero | head -c 1000000 | gzip -1 | gunzip | wc -c
(seq 1 3; seq 1 3 >&2) 2>&1 | sort | uniq -d | tee seen | wc -l; cat seen
yes forever | head -n 100000 | md5sum | cut -c 1-32
seq 1 10 | while read -r n; do echo "$n" | sed 's/$/!/' | tr '\n' ' ' | cat; done; echo
set -o pipefail; false | true | cat | cat; echo "status $?"; set +o pipefail
: | : | : | (exit 7); echo "status $?"
# A reader that leaves early: the writers die of SIGPIPE, and nothing hangs.
seq 1 1000000 | cat | cat | head -n 1
mkfifo in out; (tr a-z A-Z <in >out &); (echo through two fifos >in &); cat out
echo "a b  c" | { read -r x y z; echo "$z|$y|$x"; }
