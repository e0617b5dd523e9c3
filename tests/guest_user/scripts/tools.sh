# What people do with busybox.
i=0; while [ $i -lt 300 ]; do echo "line $i of the text"; i=$((i + 1)); done >text
sed -n '/line 1[0-9] /p' text | head -n 3
awk '{s += $2} END {print NR, s}' text
sort -k2,2nr text | head -n 2
cut -d' ' -f2 text | tail -n 2
grep -c 9 text
tr a-z A-Z <text | head -n 1
tar cf all.tar text && mkdir out && tar xf all.tar -C out && cmp text out/text && echo "tar"
gzip -c text >text.gz && gunzip -c text.gz | cmp - text && echo "gzip"
bzip2 -c text | bunzip2 | cmp - text && echo "bzip2"
md5sum text | cut -d' ' -f1
sha256sum text | cut -d' ' -f1
dd if=/dev/zero bs=65536 count=16 2>/dev/null | md5sum
find . -name '*.gz' | xargs ls
head -n 150 text >part.1 && tail -n 150 text >part.2 && ls part.*
cat part.* | cmp - text && echo "parts"
printf '%s\n' c b a | sort | paste -s -d, -
diff text out/text && echo "same"
sed 's/line 5 /LINE 5 /' text | diff text - | head -n 4
expr 6 \* 7
basename /a/b/c.txt .txt; dirname /a/b/c.txt
date -u -d @86400 +%Y-%m-%d
env -i A=1 B=2 env | sort
echo 'obase=16; 255' | bc
head -c 10 /dev/zero | od -An -tx1
echo x >/dev/full 2>/dev/null || echo "full"
cat /dev/null | wc -c
