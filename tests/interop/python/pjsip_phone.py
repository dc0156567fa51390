"""One call of a PJSIP phone: dials or waits, speaks a recording, keeps what it hears, presses keys.

Each thing that happens is one line on standard output (`registered 200`, `state CONFIRMED`, `media active`, `ended 200`), for the
test that runs it. It ends with 0 when its call came to a regular end, with 1 when it never came about.
"""

import argparse
import sys
import threading
import time

import pjsua2 as pj

NEVER = 3600.0


def say(*words):
    print(*words, flush=True)


class Call(pj.Call):
    """The phone's one call."""

    def __init__(self, phone, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(phone.account, call_id)
        self.phone = phone

    def onCallState(self, _):
        info = self.getInfo()
        say("state", info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.phone.confirmed.set()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            say("ended", info.lastStatusCode, info.lastReason)
            self.phone.ended.set()

    def onCallMediaState(self, _):
        info = self.getInfo()  # must outlive its list
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self.phone.connect(self.getAudioMedia(media.index))
                say("media active")


    def onCallTransferRequest(self, request):
        """Calls whom it is asked to call; the library reports how that goes."""
        say("referred to", request.dstUri)
        self.phone.referred = request.newCall = ReferredCall(self.phone)


class ReferredCall(pj.Call):
    """The call that another one asked for."""

    def __init__(self, phone):
        super().__init__(phone.account, pj.PJSUA_INVALID_ID)
        self.over = threading.Event()

    def onCallState(self, _):
        info = self.getInfo()
        say("referred call", info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.over.set()


class Account(pj.Account):
    """Where the phone is registered, and whose calls it takes."""

    def __init__(self, phone):
        super().__init__()
        self.phone = phone

    def onRegState(self, state):
        say("registered" if state.code == 200 and state.expiration > 0 else "unregistered", state.code)
        if state.code == 200:
            self.phone.registered.set()

    def onIncomingCall(self, incoming):
        call = Call(self.phone, incoming.callId)
        self.phone.call = call
        say("incoming", call.getInfo().remoteUri)
        head = incoming.rdata.wholeMsg.split("\r\n\r\n")[0]
        for line in head.split("\r\n"):
            if line.lower().startswith("x-"):
                say("field", line)
        operation = pj.CallOpParam()
        operation.statusCode = 200
        call.answer(operation)


class Phone:
    """A PJSIP endpoint with one account and at most one call."""

    def __init__(self, options):
        self.options = options
        self.registered, self.confirmed, self.ended = (threading.Event() for _ in range(3))
        self.call = self.referred = None
        self.recorder = self.player = None
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        settings = pj.EpConfig()
        settings.uaConfig.threadCnt = 0
        settings.uaConfig.mainThreadOnly = True
        settings.logConfig.level = settings.logConfig.consoleLevel = options.verbose
        settings.medConfig.noVad = True
        settings.medConfig.ecTailLen = 0
        settings.medConfig.clockRate = settings.medConfig.sndClockRate = 8000
        self.endpoint.libInit(settings)
        self.endpoint.audDevManager().setNullDev()
        self.add_transport()
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        self.endpoint.codecSetPriority(options.codec, 255)
        self.account = Account(self)
        self.account.create(self.account_settings())

    def add_transport(self):
        kinds = {
            "udp": pj.PJSIP_TRANSPORT_UDP,
            "tcp": pj.PJSIP_TRANSPORT_TCP,
            "tls": pj.PJSIP_TRANSPORT_TLS,
        }
        transport = pj.TransportConfig()
        transport.boundAddress = self.options.address
        if self.options.transport == "tls":
            transport.tlsConfig.CaListFile = self.options.ca
            transport.tlsConfig.verifyServer = True
        self.transport = self.endpoint.transportCreate(kinds[self.options.transport], transport)

    def account_settings(self):
        options = self.options
        settings = pj.AccountConfig()
        settings.idUri = f"sip:{options.user}@{options.domain}"
        settings.sipConfig.transportId = self.transport
        settings.mediaConfig.transportConfig.boundAddress = options.address
        if options.srtp:
            settings.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
            suite = pj.SrtpCrypto()
            suite.name = options.srtp
            settings.mediaConfig.srtpOpt.cryptos.append(suite)
        settings.callConfig.prackUse = pj.PJSUA_100REL_NOT_USED
        if options.password:
            settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", options.user, 0, options.password))
        settings.regConfig.registerOnAdd = options.register
        settings.regConfig.timeoutSec = options.expires
        if options.register:
            settings.regConfig.registrarUri = self.uri(None)
        return settings

    def uri(self, user):
        who = f"{user}@" if user else ""
        return f"sip:{who}{self.options.server};transport={self.options.transport}"

    def connect(self, media):
        """Once a call: its audio goes to the recording, and ours comes from one."""
        options = self.options
        if self.recorder is None and options.record:
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(options.record)
        if self.player is None and options.play:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(options.play, pj.PJMEDIA_FILE_NO_LOOP)
        if self.recorder is not None:
            media.startTransmit(self.recorder)
        if self.player is not None:
            self.player.startTransmit(media)

    def wait(self, event, seconds):
        """Runs the stack until the event or for so many seconds."""
        until = time.monotonic() + seconds
        while not event.is_set() and time.monotonic() < until:
            self.endpoint.libHandleEvents(20)
        return event.is_set()

    def run(self):
        options = self.options
        if options.register and not self.wait(self.registered, 20):
            say("no registration")
            return 1
        if options.call:
            self.call = Call(self)
            self.call.makeCall(self.uri(options.call), pj.CallOpParam(True))
        if not options.call and not options.wait:
            return 0
        if not self.wait(self.confirmed, options.patience):
            say("no call")
            return 1
        for step in options.steps.split(",") if options.steps else []:
            self.do(step)
        self.wait(self.ended, options.hold)
        if not self.ended.is_set():
            self.call.hangup(pj.CallOpParam(True))
            self.wait(self.ended, 40)
        if self.referred is not None:
            self.wait(self.referred.over, 40)
        return 0 if self.ended.is_set() else 1

    def do(self, step):
        """`2.5` waits, `k5` presses a key, `hold` and `resume` are re-INVITEs, `update` is an UPDATE."""
        if step.startswith("k"):
            self.call.dialDtmf(step[1:])
        elif step == "hold":
            self.call.setHold(pj.CallOpParam(True))
        elif step == "resume":
            again = pj.CallOpParam(True)
            again.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.call.reinvite(again)
        elif step == "update":
            self.call.update(pj.CallOpParam(True))
        else:
            self.wait(self.ended, float(step))
        say("did", step)

    def close(self):
        if self.options.register:
            self.account.setRegistration(False)
            self.wait(threading.Event(), 1)
        self.call = self.referred = self.recorder = self.player = None
        self.account.shutdown()
        self.endpoint.libDestroy()


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="HOST:PORT")
    parser.add_argument("--transport", choices=["udp", "tcp", "tls"], default="udp")
    parser.add_argument("--ca", default="", help="certificates to trust (TLS)")
    parser.add_argument("--address", default="127.0.0.1", help="the address to speak from")
    parser.add_argument("--user", default="phone")
    parser.add_argument("--password", default="")
    parser.add_argument("--domain", default="127.0.0.1")
    parser.add_argument("--register", action="store_true")
    parser.add_argument("--expires", type=int, default=300)
    parser.add_argument("--call", help="the number to dial")
    parser.add_argument("--wait", action="store_true", help="wait for a call")
    parser.add_argument("--codec", default="PCMU/8000/1", help="as PJSIP names it")
    parser.add_argument("--srtp", default="", help="the suite to insist on, such as AES_CM_128_HMAC_SHA1_80")
    parser.add_argument("--play", help="WAV to speak")
    parser.add_argument("--record", help="WAV of what is heard")
    parser.add_argument("--steps", default="", help="what to do in the call, such as 3,k5,hold,1,resume")
    parser.add_argument("--hold", type=float, default=NEVER, help="seconds until it hangs up")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds until there must be a call")
    parser.add_argument("--verbose", type=int, default=3)
    return parser.parse_args()


def main():
    phone = Phone(options())
    try:
        return phone.run()
    finally:
        phone.close()


if __name__ == "__main__":
    sys.exit(main())
