# Debian's zsh-static.
zsh -f <<'ZSH'
typeset -A map; map=(one 1 two 2); print -l ${(ok)map}; list=(c a b); print ${(o)list} ${(j:-:)list} $#list ${list[-1]}
for i in {1..200}; do x=$(print $i); done; print $x; print =(print file) | sed 's/[^/]*$//' | grep -c tmp
cat <(print process) =(print temporary); print one >file; read -r word <file; print $word; exec 5<>file; print -u 5 two; cat file
mkdir -p d/e; touch d/e/{a,b}.txt d/c.txt; print -l d/**/*.txt(.on); print d/*(/); print -r -- ${${:-a/b/c.tar.gz}:t:r}
trap 'print trapped' USR1; kill -USR1 $$; sleep 0
setopt pipefail; false | true; print $? $pipestatus; ( exit 7 ) & wait $!; print $?; { print a; exit 3 } always { print always }
ZSH
echo "status $?"
