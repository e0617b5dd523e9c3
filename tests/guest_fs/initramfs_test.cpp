// Unpacking newc archives: what a good one makes, and where and why a bad one stops.
#include "guest/fs/initramfs.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

// An archive that is built piece by piece, right or wrong.
class Archive {
public:
    struct Entry {
        std::string name;
        uint32_t mode = 0;
        std::string data = {};
        uint32_t ino = 1;
        uint32_t nlink = 1;
        uint32_t rdev_major = 0;
        uint32_t rdev_minor = 0;
    };

    Archive& add(const Entry& entry) {
        const uint32_t fields[13] = {entry.ino,
                                     entry.mode,
                                     1000,
                                     1001,
                                     entry.nlink,
                                     77,
                                     static_cast<uint32_t>(entry.data.size()),
                                     0,
                                     0,
                                     entry.rdev_major,
                                     entry.rdev_minor,
                                     static_cast<uint32_t>(entry.name.size() + 1),
                                     0};
        bytes_ += "070701";
        for (uint32_t field : fields) {
            char hex[9];
            std::snprintf(hex, sizeof(hex), "%08X", field);
            bytes_ += hex;
        }
        bytes_ += entry.name + '\0';
        pad();
        bytes_ += entry.data;
        pad();
        return *this;
    }
    Archive& end() { return add({"TRAILER!!!"}); }
    std::string& bytes() { return bytes_; }

private:
    void pad() { bytes_.append(-bytes_.size() % 4, '\0'); }
    std::string bytes_;
};

class InitramfsTest : public FsTest {
protected:
    guest::cpio_error unpack(const std::string& bytes) {
        // A copy without a byte more than the archive has, so that the sanitizer sees reads past its end.
        const std::vector<char> exact(bytes.begin(), bytes.end());
        return guest::unpack_initramfs(root_, exact.data(), exact.size());
    }
    void expect_wrong(const std::string& bytes, size_t offset, const std::string& reason) {
        const guest::cpio_error error = unpack(bytes);
        ASSERT_NE(error.reason, nullptr);
        EXPECT_EQ(error.reason, reason);
        EXPECT_EQ(error.offset, offset);
    }
};

TEST_F(InitramfsTest, MakesEveryKindOfFile) {
    Archive archive;
    archive.add({".", abi::kIfDir | 0700})
        .add({"bin", abi::kIfDir | 0755})
        .add({"bin/tool", abi::kIfReg | 04755, std::string(5000, 't')})
        .add({"./bin/sh", abi::kIfLnk | 0777, "tool"})
        .add({"/dev", abi::kIfDir | 01777})
        .add({"dev/console", abi::kIfChr | 0600, "", 1, 1, 5, 1})
        .add({"dev/fifo", abi::kIfIfo | 0644})
        .add({"empty", abi::kIfReg | 0})
        .end();
    const guest::cpio_error error = unpack(archive.bytes());
    ASSERT_EQ(error.reason, nullptr) << error.reason << " at " << error.offset;
    EXPECT_EQ(contents_of("/bin/sh"), std::string(5000, 't'));
    const abi::Stat tool = stat_of("/bin/tool");
    EXPECT_EQ(tool.st_mode, abi::kIfReg | 04755U);
    EXPECT_EQ(tool.st_uid, 1000U);
    EXPECT_EQ(tool.st_gid, 1001U);
    EXPECT_EQ(tool.st_mtim.tv_sec, 77);
    EXPECT_EQ(stat_of("/bin").st_mtim.tv_sec, 77) << "what was made in it changed its time";
    EXPECT_EQ(stat_of("/dev").st_mode, abi::kIfDir | 01777U);
    EXPECT_EQ(stat_of("/dev/console").st_rdev, abi::make_dev(5, 1));
    EXPECT_EQ(stat_of("/dev/fifo").st_mode, abi::kIfIfo | 0644U);
    EXPECT_EQ(stat_of("/").st_mode, abi::kIfDir | 0700U);
}

TEST_F(InitramfsTest, HardLinksShareTheContentsOfTheLastName) {
    Archive archive;
    archive.add({"a", abi::kIfReg | 0644, "", 9, 2}).add({"b", abi::kIfReg | 0644, "shared", 9, 2}).end();
    ASSERT_EQ(unpack(archive.bytes()).reason, nullptr);
    EXPECT_EQ(contents_of("/a"), "shared");
    EXPECT_EQ(stat_of("/a").st_ino, stat_of("/b").st_ino);
}

TEST_F(InitramfsTest, ArchivesMayFollowEachOther) {
    Archive first, second;
    first.add({"d", abi::kIfDir | 0755}).end();
    second.add({"d", abi::kIfDir | 0755}).add({"d/f", abi::kIfReg | 0644, "x"}).end();
    ASSERT_EQ(unpack(first.bytes() + std::string(512, '\0') + second.bytes() + std::string(8, '\0')).reason,
              nullptr);
    EXPECT_EQ(contents_of("/d/f"), "x");
}

TEST_F(InitramfsTest, SaysWhatIsWrongAndWhere) {
    Archive good;
    good.add({"d", abi::kIfDir | 0755});
    const size_t second = good.bytes().size();
    good.add({"d/file", abi::kIfReg | 0644, "contents"}).end();
    const std::string bytes = good.bytes();

    expect_wrong("", 0, "the archive ends without a TRAILER!!! entry");
    expect_wrong("garbage", 0, "the archive ends inside a header");
    expect_wrong(std::string(200, 'g'), 0, "no newc header (070701) here");
    expect_wrong(bytes.substr(0, second), second, "the archive ends without a TRAILER!!! entry");
    expect_wrong(bytes.substr(0, second + 50), second, "the archive ends inside a header");
    expect_wrong(bytes.substr(0, second + 112), second, "the archive ends inside a name");
    expect_wrong(bytes.substr(0, second + 120), second, "the archive ends inside the contents of a file");
    std::string broken = bytes;
    broken[second + 10] = 'x';
    expect_wrong(broken, second, "a header field is not hexadecimal");
    broken = bytes;
    broken.replace(second + 94, 8, "00000000");
    expect_wrong(broken, second, "the length of a name is not in 1..4096");
    broken.replace(second + 94, 8, "FFFFFFFF");
    expect_wrong(broken, second, "the length of a name is not in 1..4096");
    broken = bytes;
    broken[second + 110 + 6] = 'X';
    expect_wrong(broken, second, "a name is not closed by a zero where it ends");
    broken = bytes;
    broken[second + 110 + 2] = '\0';
    expect_wrong(broken, second, "a name is not closed by a zero where it ends");
    broken = bytes;
    broken.replace(second + 54, 8, "FFFFFFFF");
    expect_wrong(broken, second, "the archive ends inside the contents of a file");
}

TEST_F(InitramfsTest, SaysWhyAnEntryCannotBeMade) {
    Archive orphan, twice, under_file, long_name;
    orphan.add({"none/f", abi::kIfReg | 0644}).end();
    expect_wrong(orphan.bytes(), 0, "the directory of a name does not exist");
    twice.add({"f", abi::kIfReg | 0644}).add({"f", abi::kIfReg | 0644}).end();
    expect_wrong(twice.bytes(), 112, "a name comes twice");
    under_file.add({"f/g", abi::kIfReg | 0644}).end();
    expect_wrong(under_file.bytes(), 0, "a part of a name is not a directory");
    long_name.add({std::string(300, 'n'), abi::kIfReg | 0644}).end();
    expect_wrong(long_name.bytes(), 0, "a name is too long");
}

// Cut anywhere, with any byte changed: an answer, never a crash, and nothing left over.
TEST_F(InitramfsTest, SurvivesEveryCutAndManyFlips) {
    Archive archive;
    archive.add({"d", abi::kIfDir | 0755})
        .add({"d/a", abi::kIfReg | 0644, "0123456789", 5, 2})
        .add({"d/b", abi::kIfReg | 0644, "", 5, 2})
        .add({"l", abi::kIfLnk | 0777, "d/a"})
        .end();
    // The padding behind the last entry may be missing.
    for (size_t cut = 0; cut + 3 < archive.bytes().size(); ++cut) {
        EXPECT_NE(unpack(archive.bytes().substr(0, cut)).reason, nullptr) << cut;
        TearDown();
        SetUp();
    }
    for (size_t at = 0; at < archive.bytes().size(); ++at) {
        std::string flipped = archive.bytes();
        flipped[at] = static_cast<char>(flipped[at] ^ 0x15);
        (void)unpack(flipped);
        TearDown();
        SetUp();
    }
}

TEST_F(InitramfsTest, EveryFailedAllocationIsReported) {
    Archive archive;
    archive.add({"d", abi::kIfDir | 0755}).add({"d/a", abi::kIfReg | 0644, "0123456789", 5, 2}).end();
    for (uint64_t nth = 1; nth < 100; ++nth) {
        host_kernel::fail_allocation(nth);
        const guest::cpio_error error = unpack(archive.bytes());
        const bool reached = host_kernel::failure_happened();
        TearDown();
        SetUp();
        EXPECT_EQ(error.reason != nullptr, reached);
        if (!reached) return;
        EXPECT_STREQ(error.reason, "out of memory");
    }
    FAIL() << "unpacking never ends well";
}

// What tools/mkinitramfs writes is what the kernel reads.
class MkinitramfsTest : public InitramfsTest {
protected:
    void SetUp() override {
        InitramfsTest::SetUp();
        char name[] = "/tmp/mkinitramfs.XXXXXX";
        directory_ = mkdtemp(name);
    }
    void TearDown() override {
        EXPECT_EQ(std::system(("rm -r " + directory_).c_str()), 0);
        InitramfsTest::TearDown();
    }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(directory_ + "/" + name) << text;
        return directory_ + "/" + name;
    }
    // The exit status.
    int run(const std::string& manifest, const std::string& output) {
        const std::string command = std::string(MKINITRAMFS) + " " + write("manifest", manifest) + " " +
                                    directory_ + "/" + output + " 2>" + directory_ + "/errors";
        return WEXITSTATUS(std::system(command.c_str()));
    }
    std::string read(const std::string& name) {
        std::ifstream file(directory_ + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string directory_;
};

TEST_F(MkinitramfsTest, WritesWhatTheManifestSays) {
    const std::string source = write("source", "contents");
    const std::string applets = write("applets", "cat\nls\n");
    const std::string manifest = "file /bin/ls 0755 " + source +
                                 "\n"
                                 "dir /bin 0755  # a comment\n"
                                 "dir /dev 0755\n"
                                 "node /dev/null 0666 c 1 3\n"
                                 "link /sbin bin\n"
                                 "applets /bin busybox " +
                                 applets + "\n";
    ASSERT_EQ(run(manifest, "one.cpio"), 0) << read("errors");
    ASSERT_EQ(run(manifest, "two.cpio"), 0);
    EXPECT_EQ(read("one.cpio"), read("two.cpio"));
    const guest::cpio_error error = unpack(read("one.cpio"));
    ASSERT_EQ(error.reason, nullptr) << error.reason << " at " << error.offset;
    EXPECT_EQ(contents_of("/sbin/ls"), "contents");
    EXPECT_EQ(stat_of("/bin/ls").st_mode, abi::kIfReg | 0755U);
    EXPECT_EQ(stat_of("/bin/cat").st_mode, abi::kIfLnk | 0777U);
    EXPECT_EQ(stat_of("/dev/null").st_rdev, abi::make_dev(1, 3));
    EXPECT_EQ(stat_of("/bin/ls").st_mtim.tv_sec, 0);
}

TEST_F(MkinitramfsTest, RefusesBadManifests) {
    const std::string source = write("source", "contents");
    EXPECT_EQ(run("file /f 0644 /none/at/all\n", "out"), 1);
    EXPECT_NE(read("errors").find("manifest:1: cannot read /none/at/all"), std::string::npos)
        << read("errors");
    EXPECT_EQ(run("file /none/f 0644 " + source + "\n", "out"), 2);
    EXPECT_EQ(run("dir /d 0755\ndir /d 0755\n", "out"), 2);
    EXPECT_EQ(run("dir /d 0999\n", "out"), 2);
    EXPECT_EQ(run("something else\n", "out"), 2);
    EXPECT_EQ(run("file /f 0644 " + source + "\nstatic /f\n", "out"), 1);
    EXPECT_EQ(read("out"), "");
}

}  // namespace
}  // namespace guest_fs_test
