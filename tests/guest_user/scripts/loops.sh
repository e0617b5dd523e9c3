# Two hundred forks, and shell arithmetic around them.
i=0; sum=0
while [ $i -lt 200 ]; do
    sum=$((sum + $(expr $i \* 2)))
    i=$((i + 1))
done
echo "sum $sum"
for word in alpha beta gamma; do
    case $word in
    a*) echo "$word begins with a" ;;
    *) echo "$word does not" ;;
    esac
done
f() { local x=$1; [ "$x" -le 1 ] && echo 1 && return; echo $((x * $(f $((x - 1))))); }
echo "10! is $(f 10)"
