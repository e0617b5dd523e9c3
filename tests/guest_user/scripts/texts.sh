# sort, awk, sed, and the rest of the text tools on more than a few lines.
awk 'BEGIN { srand(7); s = 1; for (i = 0; i < 4000; i++) { s = (s * 1103515245 + 12345) % 2147483648; print s % 1000, s % 77, "w" s % 13 } }' >data
md5sum data
sort -n data | head -n 2; sort -k2,2n -k1,1nr data | md5sum; sort -u -k3,3 data | wc -l; sort -r data | tail -n 1
sort -c data; echo "sorted: $?"
awk '{n[$3]++; t[$3] += $1} END {for (k in n) print k, n[k], t[k]}' data | sort
awk -F' ' '$2 > 70 && /w1/ {c++} END {printf "%d %.3f %s %x\n", c, c / 7, toupper("done"), 255}' data
awk '{gsub(/[0-9]/, "#"); print length($0), substr($0, 2, 5)}' data | sort | uniq -c | sort -rn | head -n 3
awk 'BEGIN {while (("seq 1 5" | getline x) > 0) s += x; print s; system("echo from a child"); print "x" | "cat"; close("cat")}'
sed -n '10,12p;$p' data; sed -E 's/([0-9]+) ([0-9]+)/\2:\1/;4q' data
sed '/^1/d;s/w/W/g;y/0/o/' data | md5sum; sed -i.bak '1s/.*/changed/' data; head -n 1 data data.bak
sed ':a;N;$!ba;s/\n/,/g' data | cut -c 1-60
printf 'k1 a\nk2 b\nk3 c\n' >l; printf 'k1 x\nk3 z\n' >r
comm -12 l l | wc -l; paste l r; expand -t 4 <<A
	x	y
A
nl l; tac l; rev l; split -l 1500 data part.; wc -l part.*; cat part.* | cmp - data && echo joined
od -A d -t x1z -N 40 data; hexdump -C -n 32 data; xxd -l 32 data; strings -n 6 /bin/busybox | head -n 0; echo aGVsbG8= | base64 -d; echo
diff -u l r | tail -n +3; patch -o p l <<A
--- l
+++ l
@@ -1,2 +1,2 @@
-k1 a
+k1 patched
 k2 b
A
cat p; printf '%05d|%-6s|%x|%e|%c\n' 42 ab 255 12345.678 z; seq -s, 1 9; seq 10 -3 1 | tr '\n' ' '; echo
factor 360 97; cal 2 2024; date -u -d '2024-02-29 12:00:00' +'%A %j %U %s'; TZ=EST5 date -d @0 +%H:%M
echo '2^64; scale=10; 22/7' | bc; dc -e '2 3 ^ p'; expr abc : 'a\(.*\)'; test 3 -gt 2 && echo yes; fold -s -w 20 <<A
the quick brown fox jumps over the lazy dog
A
grep -c w1 data; grep -n -m 2 '^9.. 7[0-9]' data; grep -o 'w[0-9]*$' data | sort | uniq -c | sort -rn | head -n 1 | awk '{print $1}'; grep -E -v '^[0-9]' data
