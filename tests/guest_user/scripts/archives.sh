# Sixteen MiB through dd, md5sum, gzip, tar and cpio; find and xargs over trees.
dd if=/dev/zero of=zeros bs=1M count=16 2>&1 | head -n 2
md5sum zeros; cat zeros digits 2>/dev/null | wc -c
yes "$(seq -s " " 1 200)" | head -c 16777216 >digits; md5sum digits; ls -l digits | awk '{print $1, $5, $9}'
dd if=digits of=part bs=4096 skip=100 count=50 2>/dev/null; md5sum <part
dd if=part of=digits bs=4096 seek=7 conv=notrunc 2>/dev/null; md5sum <digits
head -c 300000 digits >small
gzip -k small; gunzip -c small.gz | md5sum; gzip -t small.gz && echo good; bzip2 -k small; bunzip2 -c small.bz2 | cmp - small && echo bzip2
mkdir -p tree/a/b tree/c; i=0
while [ $i -lt 60 ]; do echo "file $i" >tree/a/f$i; ln -s ../a/f$i tree/c/l$i; i=$((i + 1)); done
ln tree/a/f1 tree/a/b/hard; mkfifo tree/fifo; chmod 4750 tree/a/f2; touch -d '2010-05-06 07:08:09' tree/a/f3
tar czf tree.tgz tree; tar tzf tree.tgz | wc -l; tar tzvf tree.tgz tree/a/f2 | awk '{print $1, $3, $6}'
mkdir x; tar xzf tree.tgz -C x; diff -r tree/a x/tree/a && stat -c '%a %F %h' x/tree/a/f2 x/tree/a/f1 x/tree/fifo
stat -c %Y x/tree/a/f3; readlink x/tree/c/l7
find tree | cpio -o -H newc 2>/dev/null >tree.cpio; mkdir y; (cd y; cpio -i 2>/dev/null <../tree.cpio); diff -r x/tree/a y/tree/a && echo same
find tree -type l | sort | xargs -n 1 readlink | sort -u | wc -l
find tree -name 'f1*' -type f | sort | xargs cat | md5sum
find tree -type f -exec grep -l 'file 4' {} + | sort | tr '\n' ' '; echo
find tree -perm -4000 -o -type p | sort; find tree -name hard -links 2 | sort
find tree -name "l*" -exec rm {} +; find tree | wc -l
du -s -k zeros | cut -f1; rm -rf tree x y; ls
