# SQLite from Debian's static library: one process, several at once, and one that is killed amid a transaction.
sqlite work.db <"${0%/*}/work.sql"; echo "status $?"
rm -f work.db
# Four writers through the rollback journal, then four through the shared memory of a write-ahead log.
for mode in delete wal; do
    echo "PRAGMA journal_mode=$mode; CREATE TABLE t(who, n);" | sqlite $mode.db
    for who in 1 2 3 4; do
        seq 1 25 | sed "s/.*/BEGIN IMMEDIATE; INSERT INTO t VALUES($who, &); COMMIT;/" | sqlite $mode.db &
    done
    wait
    echo "SELECT who, count(*), sum(n) FROM t GROUP BY who; PRAGMA integrity_check;" | sqlite $mode.db
done
# Killed with half of a transaction in the file: the next one rolls it back from the journal.
echo "CREATE TABLE t(n); INSERT INTO t VALUES(1);" | sqlite killed.db
mkfifo sql
sqlite killed.db <sql >said & victim=$!
exec 3>sql
echo "PRAGMA cache_size=5; BEGIN; WITH RECURSIVE c(x) AS (SELECT 2 UNION ALL SELECT x+1 FROM c WHERE x<20000)
    INSERT INTO t SELECT x FROM c; SELECT count(*) FROM t;" >&3
while ! grep -q 20000 said; do sleep 0.05; done
kill -9 $victim; wait $victim 2>/dev/null; echo "status $?"; exec 3>&-
test -s killed.db-journal && echo "a hot journal"
echo "SELECT count(*), max(n) FROM t; PRAGMA integrity_check;" | sqlite killed.db
ls
