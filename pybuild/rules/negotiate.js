// Which representation an Accept field asks for: "html", "md" or "none" (RFC 9110, 12.5.1).
// `field` is the whole field, its lines joined with ", "; null or undefined when there is none.
function pbNegotiate(field) {
  var weights = {}, found = false;
  var members = String(field === null || field === undefined ? '' : field)
    .match(/(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$)|")+/g) || [];
  for (var i = 0; i < members.length; i++) {
    var parts = members[i].match(/(?:[^";]|"(?:[^"\\]|\\.)*(?:"|$)|")+/g) || [''];
    for (var j = 0, q = null; j < parts.length; j++) {
      parts[j] = parts[j].replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
      if (j > 0 && q === null && parts[j].indexOf('q=') === 0) q = parts[j].slice(2);
    }
    var media = parts[0] === '*' ? '*/*' : parts[0];
    if (!/^(?:\*\/\*|(?!\*\/)[!#$%&'*+.^_`|~0-9a-z\-]+\/[!#$%&'*+.^_`|~0-9a-z\-]+)$/.test(media)) continue;
    if (q === null) q = '1';
    if (!/^(?:1(?:\.0*)?|0?\.[0-9]+|0\.?)$/.test(q)) continue;
    var digits = q.split('.');
    var weight = Number(digits[0] || 0) * 1000 + Number(((digits[1] || '') + '000').slice(0, 3));
    found = true;
    if (!(weights['_' + media] >= weight)) weights['_' + media] = weight;
  }
  if (!found) return 'html';
  function weigh(exact) {
    var names = [exact, 'text/*', '*/*'];
    for (var k = 0; k < 3; k++) if (weights['_' + names[k]] !== undefined) return weights['_' + names[k]];
    return 0;
  }
  var md = weigh('text/markdown'), html = weigh('text/html');
  if (md === 0 && html === 0) return 'none';
  return md > html || (md === html && weights['_text/markdown'] !== undefined) ? 'md' : 'html';
}
