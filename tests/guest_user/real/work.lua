-- What Lua programs do: tables, closures, strings, patterns, coroutines, errors, garbage, files and processes.
local function sieve(n)
    local composite, count = {}, 0
    for i = 2, n do
        if not composite[i] then
            count = count + 1
            for j = i * i, n, i do composite[j] = true end
        end
    end
    return count
end
print("primes", sieve(50000))

local state = 42
local function random(n) state = (state * 1103515245 + 12345) % 2147483648; return (state >> 8) % n end
local words = {}
for i = 1, 6000 do words[i] = ("%c%d"):format(97 + random(26), random(1000)) end
table.sort(words)
print("sorted", words[1], words[3000], words[6000])
table.sort(words, function(a, b) return #a == #b and a > b or #a > #b end)
print("by length", words[1], words[6000])

local counts = {}
for word in (table.concat(words, " ")):gmatch("%a") do counts[word] = (counts[word] or 0) + 1 end
local keys = {}
for key in pairs(counts) do keys[#keys + 1] = key end
table.sort(keys)
print("letters", #keys, keys[1] .. counts[keys[1]], keys[#keys] .. counts[keys[#keys]])
print("gsub", (("the quick brown fox"):gsub("%w+", function(w) return w:sub(1, 1):upper() .. w:sub(2) end)))
print("format", ("%5.2f|%-8s|%08.3e|%x|%q|%i"):format(math.pi, "left", 12345.678, 255, 'a "q"\n', -7))
print("pack", ("%q"):format(string.pack("<i4z s2", 7, "zero", "two")):len(), utf8.char(0x20ac, 0x1f600):byte(1, -1))
print("integers", 7 // 2, -7 // 2, -7 % 3, 7 / 2, 1 << 62, math.maxinteger + 1 == math.mininteger, 3 | 8, 2 ^ 0.5)
print("floats", 0.1 + 0.2, 1e308 * 10, -(0 / 0) ~= 0 / 0, 1e15, 123456789012345678)

local function permutations(list, n)
    if n == 0 then coroutine.yield(list) end
    for i = 1, n do
        list[n], list[i] = list[i], list[n]
        permutations(list, n - 1)
        list[n], list[i] = list[i], list[n]
    end
end
local seen, last = 0, nil
for p in coroutine.wrap(function() permutations({1, 2, 3, 4, 5, 6, 7}, 7) end) do
    seen, last = seen + 1, table.concat(p)
end
print("permutations", seen, last)

local Account = {}
Account.__index = Account
Account.__add = function(a, b) return setmetatable({balance = a.balance + b.balance}, Account) end
Account.__tostring = function(a) return "account of " .. a.balance end
Account.__close = function(a) print("closed", a) end
local function account(n) return setmetatable({balance = n}, Account) end
do
    local temporary <close> = account(5)
    print("sum", account(1) + temporary)
end
print("pcall", pcall(function() local x = nil; return x.field end))
print("error", select(2, pcall(error, {code = 7})).code, select(2, xpcall(error, function(m) return "handled " .. m end, "it")))
print("deep", pcall(function() local function f() return 1 + f() end return f() end) == false)

collectgarbage()
local before = collectgarbage("count")
for round = 1, 20 do
    local garbage = {}
    for i = 1, 2000 do garbage[i] = {i, tostring(i), function() return i end} end
end
collectgarbage()
print("garbage", collectgarbage("count") < before + 100)
local weak = setmetatable({}, {__mode = "v"})
weak[1] = {}; collectgarbage(); print("weak", weak[1])

local name = os.tmpname()
local file = assert(io.open(name, "w"))
for i = 1, 1000 do file:write("line ", i, " ", ("x"):rep(i % 50), "\n") end
file:close()
local total, longest = 0, 0
for line in io.lines(name) do total = total + 1; longest = math.max(longest, #line) end
file = assert(io.open(name, "r+")); file:seek("set", 5); file:write("ONE"); file:seek("set", 0)
print("file", total, longest, file:read("l"), file:read("n"), file:seek("end")); file:close()
print("renamed", os.rename(name, name .. ".x"), os.remove(name .. ".x"), (io.open(name)))
local pipe = io.popen("echo from a shell; exit 3")
print("popen", pipe:read("a"), pipe:close())
print("execute", os.execute("exit 5"))
print("date", os.date("!%Y-%m-%d %H:%M:%S", 86400 * 365), os.time({year = 2000, month = 1, day = 1, hour = 0}) > 0)
print("load", load("return ... * 2")(21), #string.dump(sieve) > 100)
print("arguments", ...)
error("the end")
