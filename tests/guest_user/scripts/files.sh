# Making, moving and removing files and directories.
mkdir -p a/b/c && touch a/f1 a/b/f2 a/b/c/f3
find a | sort
ln -s b/f2 a/link; cat a/link; readlink a/link
echo text >a/b/f2; cat a/link
ln a/b/f2 a/hard; stat -c '%h %s %F' a/hard
mv a/b/c a/moved; ls a a/moved
rmdir a/b 2>/dev/null || echo "not empty"
chmod 640 a/f1; stat -c '%a %A' a/f1
chmod u+s,o+x a/f1; stat -c '%a %A' a/f1
cp -r a copy; find copy -type f | sort
rm -r a; ls
echo 0123456789 >t; truncate -s 4 t; cat t; echo; truncate -s 8 t; od -c t
dd if=t of=u bs=2 skip=1 count=2 2>/dev/null; od -c u
mkdir d; cd d; pwd | sed 's|.*/||'; cd ..; cd - >/dev/null; pwd | sed 's|.*/||'; cd ..
touch -d '2001-02-03 04:05:06' when; stat -c %Y when
umask 077; touch private; stat -c %a private; umask 022
test -d d && test ! -e none && test -s t && test t -nt when && echo tests
mkfifo fifo; (echo through the fifo >fifo &) ; cat fifo
ls -1 | sort
