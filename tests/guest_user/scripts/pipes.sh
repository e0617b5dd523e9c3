# Pipes, redirections, here-documents, command substitution.
seq 1 1000 | grep 7 | sort -rn | head -n 5
echo one two three | tr ' ' '\n' | sort | uniq -c | awk '{print $2, $1}'
cat <<END
here is a document of $((6 * 7)) things
END
echo out >file; echo more >>file; cat <file; wc -c <file
(echo to stdout; echo to stderr >&2) 2>both | cat; cat both
n=$(ls / | grep -c '^bin$'); echo "bin: $n"
echo "nested: $(echo "$(echo deep)")"
{ echo a; echo b; } | while read -r line; do echo "got $line"; done
yes | head -n 3
true | false; echo "status $?"
false | true; echo "status $?"
! true; echo "status $?"
exec 3>third; echo three >&3; exec 3>&-; cat third
cat nothing 2>/dev/null || echo "no such file"
seq 1 20000 | md5sum
