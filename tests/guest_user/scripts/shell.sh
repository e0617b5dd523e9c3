# The shell's own language: expansions, functions, arithmetic, descriptors, subshells.
v=path/to/file.tar.gz; echo "${v##*/} ${v%%.*} ${v%.*} ${#v} ${v#*/} ${unset:-default} ${v:+set} ${v/to/from} ${v:5:2}"
set -- a "b c" d; echo "$# $2"; for x in "$@"; do echo "<$x>"; done; shift 2; echo "$*"
i=5; echo $((i++ + ++i)) $((i << 3 | 1)) $((-7 / 2)) $((-7 % 3)) $((0x1f ^ 7)) $((i > 3 ? 1 : 2)) $((~0))
case abc in a?c) echo match ;; esac; case x in [!a-w]) echo range ;; esac
f() { local a=$1; a=inner; echo "$a"; return 3; }; a=outer; f x; echo "$? $a"
until [ "${n:=0}" -ge 3 ]; do n=$((n + 1)); [ "$n" = 2 ] && continue; echo "n $n"; done
exec 3>out 4>&1; echo to three >&3; echo to four >&4; exec 3>&- 4>&-; cat out; echo gone 2>/dev/null >&3 || echo "closed"
(cd /tmp && echo "$PWD"); x=1; (x=2); echo "$x"; { x=3; }; echo "$x"
echo *; mkdir g; touch g/a1 g/a2 g/b1 g/.h; echo g/*; echo g/[ab]1; echo g/.*h; echo 'g/*' "g/*"; set -f; echo g/*; set +f
IFS=:; for p in $(echo a:b:c); do echo "$p"; done; unset IFS
eval 'y=$((6*7))'; echo "$y"; readonly R=1; (R=2) 2>/dev/null || echo "read-only"; unset y; echo "${y-unset}"
printf '%s\n' "$(printf 'a\n\n\n')" | wc -l; echo "a\tb" 'c\d'; echo -e 'a\tb'; echo -n no newline; echo
[ -e g ] && [ ! -f g ] && [ "a" \< "b" ] && [ 1 -eq 01 ] && echo tests; [[ abc == a* ]] && echo double
getopts ab: o -b val; echo "$o $OPTARG"; umask; umask -S; type cd; command -v sh >/dev/null && echo found; alias l='echo aliased'; alias l
set -e; (false; echo "not reached") || echo "or"; set +e; (set -u; echo "$nothing") 2>/dev/null; echo "status $?"
sh -n -c 'if' 2>/dev/null; echo "syntax $?"; sh -c 'exit 300'; echo "status $?"; . /dev/stdin <<A
sourced=yes
A
echo "$sourced"; ulimit -n 20; ulimit -n; (ulimit -f 1; head -c 100000 /dev/zero >big) 2>/dev/null; echo "limit $?"; wc -c <big
time -p true 2>&1 | awk '{print $1}'; printf '#! /bin/busybox awk -f\nBEGIN {print "an awk script"}\n' >s.awk; chmod 755 s.awk; ./s.awk
printf 'echo no header: $0 $#\n' >plain; chmod 755 plain; ./plain 1 2; printf '#!/nowhere/x\n' >bad; chmod 755 bad; ./bad 2>/dev/null; echo "status $?"
echo "pid $(test $$ -gt 0 && echo known) $(test $PPID -gt 0 && echo parent)"; x=$(exit 9); echo "status $?"; ls /nothing >/dev/null 2>&1; echo "ls $?"
