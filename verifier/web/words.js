// The page's own words, English and Chinese; those of the report are in sentences.json.
const WORDS = {
  name: ["Credit verifier", "学分验证"],
  ask: ["Check a credential", "验证凭证"],
  lead: [
    "Scan the QR code, or open the file you were given. Nothing you check leaves this device.",
    "扫描二维码，或打开收到的文件。所验证的内容不会离开本设备。",
  ],
  scan: ["Scan a QR code", "扫描二维码"],
  file: ["Open a file or photo", "打开文件或照片"],
  paste: ["Paste instead", "改为粘贴文本"],
  pasteLabel: ["The credential's text, or the link of its QR code", "凭证文本，或二维码中的链接"],
  check: ["Check", "验证"],
  drop: [
    "You can also drop a file here: a bundle, a credential, a certificate (PDF), a badge or a photo.",
    "也可将文件拖放到此处：凭证包、凭证、证书（PDF）、徽章或照片。",
  ],
  camera: ["Hold the QR code in view", "将二维码置于画面中"],
  looking: ["Looking for a QR code…", "正在查找二维码…"],
  starting: ["Starting the camera…", "正在启动相机…"],
  stop: ["Stop", "停止"],
  torch: ["Torch", "手电筒"],
  switch: ["Other camera", "切换相机"],
  noCamera: [
    "There is no camera this page may use; allow it in the browser's settings, or open a photo of the QR code instead.",
    "无法使用相机；请在浏览器设置中允许，或改为打开二维码照片。",
  ],
  checking: ["Checking…", "正在验证…"],
  problem: ["This could not be read", "无法读取"],
  because: ["What is wrong with it: {reason}", "技术原因：{reason}"],
  isUnreadable: [
    "This is no credential, or it was damaged on its way. Ask for the original: the bundle, the certificate (PDF), the badge or the QR code.",
    "这不是凭证，或在传送中已损坏。请索取原件：凭证包、证书（PDF）、徽章或二维码。",
  ],
  isSeveral: [
    "This file holds several awards, which this page does not check. Check it with the command “creditbank verify”, or ask for each award by itself.",
    "此文件含有多项学习成果，本页面无法验证。请使用命令“creditbank verify”验证，或逐项索取凭证。",
  ],
  isNewer: [
    "This takes a newer version of this page: open it once while online, then scan again.",
    "需要较新版本的本页面：请联网打开一次，然后重新扫描。",
  ],
  isBadTrust: [
    "This trust bundle was not taken. Ask the credit bank itself for its newest one.",
    "此信任包未被采用。请直接向学分银行索取最新的信任包。",
  ],
  noCode: [
    "No QR code was found in {name}. Take the photo from straight above, in even light, with the whole code in it.",
    "在 {name} 中未找到二维码。请正对二维码、在均匀光线下拍摄完整的二维码。",
  ],
  otherCode: [
    "This QR code holds no credential. It says: {text} — it was not opened.",
    "该二维码不含凭证。其内容为：{text}（未打开）。",
  ],
  manyCodes: [
    "{name} shows more than one credential; show one at a time.",
    "{name} 中有多个凭证，请一次验证一个。",
  ],
  noTrust: [
    "This page holds no trust bundle yet, so it knows no institution. Connect to the network once and press “Update”, or import the bundle's file below; then check again.",
    "本页面尚无信任包，因此不认识任何机构。请联网后按“更新”，或在下方导入信任包文件，然后重新验证。",
  ],
  trust: ["Whom this page trusts", "本页面信任谁"],
  trustItem: ["{name}: version {version}, made {issued} ({age}), {members} institutions", "{name}：第 {version} 版，签发于 {issued}（{age}），{members} 个机构"],
  trustRoot: ["Root of its governance:", "治理根："],
  trustDue: ["A newer one has been due since {due}; update it.", "自 {due} 起应有更新版本，请更新。"],
  trustOver: ["It ended on {until}; nothing can be said of revocation. Update it.", "已于 {until} 过期，无法判断是否被撤销。请更新。"],
  trustEarly: ["It is dated after this device's clock; set the clock right.", "其签发时间晚于本设备时钟，请校准时钟。"],
  trustNone: ["No trust bundle yet.", "尚无信任包。"],
  confirmTitle: ["Trust a new bank?", "信任一家新的学分银行？"],
  confirmText: [
    "This file makes the page believe “{name}” ({domain}) and the {members} institutions it names.",
    "此文件将使本页面信任“{name}”（{domain}）及其列出的 {members} 个机构。",
  ],
  confirmHow: [
    "Go on only if you had the file from that bank itself, not from whoever shows you a credential. Compare the root with the one the bank publishes.",
    "仅当文件由该银行直接提供、而非由出示凭证者提供时才可继续。请将治理根与银行公布的核对。",
  ],
  confirmYes: ["Trust this bank", "信任该银行"],
  confirmNo: ["Do not", "不信任"],
  refresh: ["Update", "更新"],
  importTrust: ["Import from a file", "从文件导入"],
  refreshed: ["Up to date.", "已是最新。"],
  imported: ["Imported: {name}, version {version}.", "已导入：{name}，第 {version} 版。"],
  offline: ["No connection: the bundle kept here is used.", "无网络：使用已保存的信任包。"],
  private: [
    "Checked on this device. No account, no tracking; the link's content is removed from the address bar and the history.",
    "在本设备上验证。无需账号，不做跟踪；链接内容会从地址栏和历史记录中清除。",
  ],
  today: ["today", "今天"],
  yesterday: ["yesterday", "昨天"],
  daysAgo: ["{days} days ago", "{days} 天前"],
  inFuture: ["in the future", "未来"],
  "verified": ["Genuine, and in force as far as this device knows.", "真实，且就本设备所知仍然有效。"],
  "verified with a caution": ["Genuine, but read the points marked below before you rely on it.", "真实，但采信之前请阅读下方标出的事项。"],
  "not verified": ["Do not rely on it. The point that failed is marked below.", "请勿采信。未通过的项目已在下方标出。"],
  "cannot tell": ["The signature is intact, but something that decides is not known. See below.", "签名完好，但有决定性的事项未知。见下方。"],
  identity: ["Compare the name with an identity document.", "请将姓名与身份证件核对。"],
  claims: ["What it claims, which was not verified", "其所声称的内容（未经验证）"],
  checkedAt: ["Checked on {day} at {time} UTC, by trust bundle version {version}.", "验证时间：{day} {time}（UTC），依据第 {version} 版信任包。"],
  learner: ["Learner", "学习者"],
  achievement: ["Achievement", "学习成果"],
  credits: ["Credits", "学分"],
  level: ["Level", "等级"],
  field: ["Field", "领域"],
  issuer: ["Institution", "机构"],
  notRegistered: ["not registered: {did}", "未登记：{did}"],
  validFrom: ["Valid from", "生效日期"],
  validUntil: ["Valid until", "有效期至"],
  noEnd: ["no end", "无截止日期"],
  checks: ["What was checked", "验证项目"],
  caution: ["caution", "注意"],
  evidence: ["Show the evidence", "显示证据"],
  evidenceLead: ["For engineers: the report, and the documents it is about.", "供技术人员查看：报告及其所依据的文档。"],
  print: ["Print", "打印"],
  another: ["Check another", "验证下一个"],
  clears: ["This result is cleared in {seconds} s.", "此结果将于 {seconds} 秒后清除。"],
  keep: ["Keep it", "保留"],
  cleared: ["The result was cleared.", "结果已清除。"],
  sharedCount: ["{good} of {count} awards are verified. Open each to see what was checked.", "{count} 项学习成果中有 {good} 项验证通过。展开各项可查看验证详情。"],
  sharedAwards: ["What was shared", "所分享的学习成果"],
  shareNone: ["There is no such share. Check that the link is complete, or ask its owner for it again.", "没有该分享。请检查链接是否完整，或请持有人重新发送。"],
  shareOver: ["This share has ended, or its owner withdrew it. Ask its owner for a new one.", "该分享已到期，或已被持有人收回。请向持有人索取新的链接。"],
  shareOffline: ["What this link shows could not be fetched from the bank. Connect to the network and open the link again.", "无法从学分银行取得该链接的内容。请联网后重新打开链接。"],
  tampered: ["Ask whoever gave it to you for the original file.", "请向出示人索取原始文件。"],
  askIssuer: ["Ask the institution, by an address you know yourself.", "请通过您自己掌握的联系方式向该机构核实。"],
  askReceipt: ["Ask for the whole file, or for a newer QR code.", "请索取完整文件或新的二维码。"],
  updateTrust: ["Update the trust bundle at the end of this page, then check again.", "请在本页末尾更新信任包后重新验证。"],
  letters: ["Compare the name letter by letter with what you expect.", "请逐字母核对名称。"],
  fresh: ["Ask when it starts to count, or for one in force.", "请询问何时生效，或索取有效的凭证。"],
};

const LANGUAGES = ["en", "zh"];

/** The page's words in one language. */
export const wordsIn = (language) => (name, values = {}) =>
  WORDS[name][LANGUAGES.indexOf(language)].replace(/\{([a-z]+)\}/g, (_, key) => values[key] ?? "");

/** What stops a look and is told in the page's own words, in whichever language is chosen. */
export class Told extends Error {
  constructor(word, values = {}) {
    super(word);
    Object.assign(this, { word, values });
  }
}

/** What to do about a check that did not pass, as a key of the words; null for nothing. */
export function advice({ outcome, code, caution, unknown }) {
  if (outcome === "passed" && !caution && !unknown) return null;
  return ADVICE[code] ?? ADVICE[code.split(".")[0]] ?? null;
}

const ADVICE = {
  "format.bad": "tampered",
  format: "letters",
  signature: "tampered",
  issuer: "askIssuer",
  "ledger.early": "updateTrust",
  "ledger.none": "askReceipt",
  ledger: "tampered",
  "witnesses.few": "askReceipt",
  "status.revoked": "askIssuer",
  "status.suspended": "askIssuer",
  "status.none": "askIssuer",
  "status.bad": "updateTrust",
  status: "updateTrust",
  validity: "fresh",
  trust: "updateTrust",
};
