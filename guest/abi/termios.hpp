// Terminals as the Linux x86-64 system-call interface shows them (man 3 termios, man 2 ioctl_tty).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace abi {

using tcflag_t = uint32_t;

// Places in Termios::c_cc
inline constexpr size_t kVIntr = 0;
inline constexpr size_t kVQuit = 1;
inline constexpr size_t kVErase = 2;
inline constexpr size_t kVKill = 3;
inline constexpr size_t kVEof = 4;
inline constexpr size_t kVTime = 5;
inline constexpr size_t kVMin = 6;
inline constexpr size_t kVStart = 8;
inline constexpr size_t kVStop = 9;
inline constexpr size_t kVSusp = 10;
inline constexpr size_t kVEol = 11;
inline constexpr size_t kVReprint = 12;
inline constexpr size_t kVDiscard = 13;
inline constexpr size_t kVWerase = 14;
inline constexpr size_t kVLnext = 15;
inline constexpr size_t kVEol2 = 16;
inline constexpr size_t kNccs = 19;

// The kernel's struct termios; the C library's is longer.
struct Termios {
    tcflag_t c_iflag;
    tcflag_t c_oflag;
    tcflag_t c_cflag;
    tcflag_t c_lflag;
    uint8_t c_line;
    uint8_t c_cc[kNccs];
};
static_assert(sizeof(Termios) == 36);

// With speeds in bits a second, which count where c_cflag says kBOther.
struct Termios2 {
    Termios base;
    uint32_t c_ispeed;
    uint32_t c_ospeed;
};
static_assert(sizeof(Termios2) == 44);

// System V's, with the lower half of each flag word.
struct Termio {
    static constexpr size_t kNcc = 8;
    uint16_t c_iflag;
    uint16_t c_oflag;
    uint16_t c_cflag;
    uint16_t c_lflag;
    uint8_t c_line;
    uint8_t c_cc[kNcc];
};
static_assert(sizeof(Termio) == 18);

// c_iflag
inline constexpr tcflag_t kIgnBrk = 0001;
inline constexpr tcflag_t kBrkInt = 0002;
inline constexpr tcflag_t kParMrk = 0010;
inline constexpr tcflag_t kIstrip = 0040;
inline constexpr tcflag_t kINlCr = 0100;
inline constexpr tcflag_t kIgnCr = 0200;
inline constexpr tcflag_t kICrNl = 0400;
inline constexpr tcflag_t kIUclc = 01000;
inline constexpr tcflag_t kIXon = 02000;
inline constexpr tcflag_t kIMaxBel = 020000;
inline constexpr tcflag_t kIUtf8 = 040000;
// c_oflag
inline constexpr tcflag_t kOPost = 01;
inline constexpr tcflag_t kOLcUc = 02;
inline constexpr tcflag_t kONlCr = 04;
inline constexpr tcflag_t kOCrNl = 010;
inline constexpr tcflag_t kONoCr = 020;
inline constexpr tcflag_t kONlRet = 040;
inline constexpr tcflag_t kTabDly = 014000;
inline constexpr tcflag_t kXTabs = 014000;
// c_cflag
inline constexpr tcflag_t kCBaud = 010017;
inline constexpr tcflag_t kBOther = 010000;
inline constexpr unsigned kIBShift = 16;  // where c_cflag has the speed of input, if that is another
inline constexpr tcflag_t kB38400 = 017;
inline constexpr tcflag_t kB115200 = 010002;
inline constexpr tcflag_t kCs8 = 060;
inline constexpr tcflag_t kCRead = 0200;
inline constexpr tcflag_t kHupCl = 02000;
inline constexpr tcflag_t kCLocal = 04000;
// c_lflag
inline constexpr tcflag_t kISig = 01;
inline constexpr tcflag_t kICanon = 02;
inline constexpr tcflag_t kEcho = 010;
inline constexpr tcflag_t kEchoE = 020;
inline constexpr tcflag_t kEchoK = 040;
inline constexpr tcflag_t kEchoNl = 0100;
inline constexpr tcflag_t kNoFlsh = 0200;
inline constexpr tcflag_t kToStop = 0400;
inline constexpr tcflag_t kEchoCtl = 01000;
inline constexpr tcflag_t kEchoKe = 04000;
inline constexpr tcflag_t kIExten = 0100000;
inline constexpr tcflag_t kExtProc = 0200000;

struct Winsize {
    uint16_t ws_row;
    uint16_t ws_col;
    uint16_t ws_xpixel;
    uint16_t ws_ypixel;
};

// ioctl requests
inline constexpr uint32_t kTcGets = 0x5401;
inline constexpr uint32_t kTcSets = 0x5402;
inline constexpr uint32_t kTcSetsW = 0x5403;
inline constexpr uint32_t kTcSetsF = 0x5404;
inline constexpr uint32_t kTcGetA = 0x5405;
inline constexpr uint32_t kTcSetA = 0x5406;
inline constexpr uint32_t kTcSetAW = 0x5407;
inline constexpr uint32_t kTcSetAF = 0x5408;
inline constexpr uint32_t kTcSBrk = 0x5409;
inline constexpr uint32_t kTcXonc = 0x540A;
inline constexpr uint32_t kTcFlsh = 0x540B;
inline constexpr uint32_t kTiocExcl = 0x540C;
inline constexpr uint32_t kTiocNxcl = 0x540D;
inline constexpr uint32_t kTiocSCtty = 0x540E;
inline constexpr uint32_t kTiocGPgrp = 0x540F;
inline constexpr uint32_t kTiocSPgrp = 0x5410;
inline constexpr uint32_t kTiocOutQ = 0x5411;
inline constexpr uint32_t kTiocSti = 0x5412;
inline constexpr uint32_t kTiocGWinSz = 0x5413;
inline constexpr uint32_t kTiocSWinSz = 0x5414;
inline constexpr uint32_t kTiocGSoftCar = 0x5419;
inline constexpr uint32_t kTiocSSoftCar = 0x541A;
inline constexpr uint32_t kFioNRead = 0x541B;
inline constexpr uint32_t kFioNBio = 0x5421;
inline constexpr uint32_t kFioAsync = 0x5452;
inline constexpr uint32_t kTiocSetD = 0x5423;
inline constexpr uint32_t kTiocGetD = 0x5424;
inline constexpr uint32_t kTcSBrkP = 0x5425;
inline constexpr uint32_t kTiocSBrk = 0x5427;
inline constexpr uint32_t kTiocCBrk = 0x5428;
inline constexpr uint32_t kTcGets2 = 0x802C542A;
inline constexpr uint32_t kTcSets2 = 0x402C542B;
inline constexpr uint32_t kTcSetsW2 = 0x402C542C;
inline constexpr uint32_t kTcSetsF2 = 0x402C542D;
inline constexpr uint32_t kTiocGExcl = 0x80045440;
inline constexpr uint32_t kTiocVHangup = 0x5437;
inline constexpr uint32_t kTiocNotty = 0x5422;
inline constexpr uint32_t kTiocGSid = 0x5429;
inline constexpr uint32_t kFioNClex = 0x5450;
inline constexpr uint32_t kFioClex = 0x5451;

// Of pseudo-terminals: the number; locked or not; packet mode; open the slave; a signal to it.
inline constexpr uint32_t kTiocGPtn = 0x80045430;
inline constexpr uint32_t kTiocSPtLck = 0x40045431;
inline constexpr uint32_t kTiocGPtLck = 0x80045439;
inline constexpr uint32_t kTiocPkt = 0x5420;
inline constexpr uint32_t kTiocGPkt = 0x80045438;
inline constexpr uint32_t kTiocGPtPeer = 0x5441;
inline constexpr uint32_t kTiocSig = 0x40045436;

// What a master in packet mode reads before data, and what it is told else.
inline constexpr uint8_t kPktData = 0;
inline constexpr uint8_t kPktFlushRead = 1;
inline constexpr uint8_t kPktFlushWrite = 2;
inline constexpr uint8_t kPktStop = 4;
inline constexpr uint8_t kPktStart = 8;
inline constexpr uint8_t kPktNoStop = 16;
inline constexpr uint8_t kPktDoStop = 32;
inline constexpr uint8_t kPktIoctl = 64;

// What tcflush throws away
inline constexpr uint32_t kTcIFlush = 0;
inline constexpr uint32_t kTcOFlush = 1;
inline constexpr uint32_t kTcIOFlush = 2;

}  // namespace abi
