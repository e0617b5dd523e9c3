# Here-documents in every form, also large ones and nested ones.
name=world
cat <<A
hello $name, $((1 + 2)), $(echo "sub"), \$name
A
cat <<'A'
hello $name, $((1 + 2)), $(echo "sub"), \$name
A
cat <<-A
	tabs	go
	A
cat <<A; cat <<B
first
A
second
B
cat <<A | tr a-z A-Z | rev | cat
piped $(cat <<B
inner
B
)
A
while read -r key value; do echo "$value=$key"; done <<LIST
one 1
two 2
three 3
LIST
big=$(seq 1 20000)
wc -c <<A
$big
A
sh <<'SCRIPT'
x=$(printf '%s,' a b c); echo "${x%,}"
SCRIPT
f() { cat; }; f <<A
to a function
A
exec 4<<A
line 1 of descriptor 4
line 2 of descriptor 4
A
read -r l <&4; echo "$l"; cat <&4; exec 4<&-
