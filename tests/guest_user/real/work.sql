SELECT sqlite_version() >= '3.40';
CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INT CHECK(age >= 0), boss INT REFERENCES people);
CREATE INDEX by_age ON people(age, name);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000)
    INSERT INTO people SELECT x, printf('name %05d', x * 7919 % 20011), x * 31 % 97, nullif(x / 10, 0) FROM c;
SELECT count(*), min(name), max(name), avg(age), total(boss) FROM people;
SELECT age, count(*), group_concat(substr(name, 6)) FROM people WHERE age < 3 AND id < 1000 GROUP BY age ORDER BY 2 DESC;
SELECT a.name, b.name FROM people a JOIN people b ON a.boss = b.id WHERE a.age > b.age + 90 ORDER BY a.id LIMIT 5;
WITH RECURSIVE chain(id, depth) AS (SELECT 19999, 0 UNION ALL
    SELECT boss, depth + 1 FROM people JOIN chain USING(id) WHERE boss IS NOT NULL) SELECT * FROM chain;
SELECT age, id, rank() OVER w, sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) FROM people WHERE id < 8
    WINDOW w AS (ORDER BY age DESC) ORDER BY id;
EXPLAIN QUERY PLAN SELECT name FROM people WHERE age = 5;
INSERT INTO people VALUES(1, 'again', 1, NULL);
INSERT INTO people VALUES(30000, 'unborn', -1, NULL);
CREATE TABLE history(what, id); CREATE TRIGGER gone AFTER DELETE ON people BEGIN INSERT INTO history VALUES('gone', old.id); END;
BEGIN; DELETE FROM people WHERE id % 2; SAVEPOINT s; DELETE FROM people; SELECT count(*) FROM people; ROLLBACK TO s; COMMIT;
SELECT count(*), (SELECT count(*) FROM history) FROM people;
BEGIN; DELETE FROM people; ROLLBACK; SELECT count(*) FROM people;
PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=10;
UPDATE people SET name = upper(name), age = age + 1 WHERE id % 3 = 0; SELECT count(*) FROM people WHERE name GLOB 'NAME*';
PRAGMA journal_mode=truncate; PRAGMA mmap_size=10000000; SELECT sum(length(name)), sum(age * id) FROM people;
CREATE VIRTUAL TABLE docs USING fts5(body); INSERT INTO docs VALUES('fork copies tables'), ('exec replaces'), ('tables of pages');
SELECT rowid, highlight(docs, 0, '[', ']') FROM docs WHERE docs MATCH 'tables' ORDER BY rowid;
SELECT json_extract('{"a": [1, {"b": "deep"}]}', '$.a[1].b'), json_group_array(id) FROM people WHERE id < 10;
CREATE TEMP TABLE sorted AS SELECT name FROM people ORDER BY random(); SELECT name FROM sorted ORDER BY name DESC LIMIT 2;
SELECT hex(zeroblob(4)), typeof(1.5), 7 / 2, 7 % 4, round(2.567, 2), coalesce(NULL, 'x'), date('2024-02-28', '+2 days');
ATTACH ':memory:' AS other; CREATE TABLE other.t AS SELECT * FROM people LIMIT 100; SELECT count(*) FROM other.t;
DROP TABLE history; VACUUM; PRAGMA integrity_check; PRAGMA page_count;
SELEKT;
