"""Amazon S3 behind CloudFront.

Owns the CloudFront Function, a CloudFormation template that holds it, and the upload that tells S3 the type of
each object. The function runs before the cache and names the object, so that the cache keeps both
representations of a page apart; on the way back it adds headers. It cannot look for an object and cannot call
a backend. Writes no file.
Sources: docs.aws.amazon.com/AmazonCloudFront, "CloudFront Functions event structure", "Restrictions on
CloudFront Functions", "Quotas"; the CloudFormation reference of AWS::CloudFront.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts.base import (
    ALL_FEATURES,
    Compiled,
    Target,
    check_limits,
    drop_unsupported,
    readme,
    unsupported,
)
from pybuild.hosts.edge.minify import pack, shrink
from pybuild.hosts.edge.rules import Json, edge_rules, javascript_of, to_json
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import NOT_FOUND
from pybuild.rules.media_types import OCTETS, suffix, type_of
from pybuild.rules.model import Proxy, Rule, RuleSet
from pybuild.rules.negotiate import javascript

LIMITS = {"script_bytes": 10 * 1024}
_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # AWS's own cache policy; its key is the URI
_HOPELESS = 40_000  # characters of data that no packing brings below the limit


def compile_cloudfront(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write the function, the template and the upload.

    Findings: `unsupported-rule` for proxies; `rule-limit` where the rules make the function too large.
    """
    kept, refused = drop_unsupported(rules, _fault)
    program = function(kept, files)
    template = json.dumps(_template(program, has_404=NOT_FOUND in files), indent=1) + "\n"
    upload = "\n".join(_upload(kept, files, os.path.relpath(config.out, config.deploy))) + "\n"
    deploy = (
        Artifact("function.js", "[cloudfront]", program.encode()),
        Artifact("template.json", "[cloudfront]", template.encode()),
        Artifact("upload.sh", "[cloudfront]", upload.encode()),
        readme("cloudfront", _STEPS, _MORE),
    )
    found = check_limits("CloudFront", LIMITS, {"script_bytes": len(program.encode())}, files)
    return Compiled((), deploy, (*refused, *found))


_STEPS = (
    "aws cloudformation deploy --template-file template.json --stack-name SITE",
    "aws cloudformation describe-stacks --stack-name SITE --query 'Stacks[0].Outputs'",
    "sh upload.sh BUCKET DISTRIBUTION",
)
_MORE = ("The second command tells the names that the third one wants.",)


def _fault(rule: Rule) -> Diagnostic | None:
    if not isinstance(rule, Proxy):
        return None
    reason = "a CloudFront Function calls no backend, and a cache behavior cannot keep a secret out of the template"
    return unsupported(
        "CloudFront", rule, reason, "call the backend by its own address, or choose another target"
    )


def function(rules: RuleSet, files: Files) -> str:
    """The CloudFront Function, for viewer requests and viewer responses alike."""
    data = edge_rules(rules, files)
    needless = {"proxies", "types", *(("none",) if rules.negotiation != "strict" else ())}
    suffixes = data["suffixes"]
    assert isinstance(suffixes, dict), "suffixes are a table"
    kept: dict[str, Json] = {key: value for key, value in data.items() if key not in needless}
    kept["suffixes"] = dict.fromkeys(suffixes, 1)
    code = (javascript(), javascript_of("route.js"), javascript_of("cloudfront.js"))
    program, text = shrink("".join(code)), to_json(kept)
    plain = f"{program}\nvar PB={text};\n"
    if len(plain) <= LIMITS["script_bytes"] or len(text) > _HOPELESS:
        return plain
    return f"{program}\n{pack(text)}\n"


def _template(program: str, *, has_404: bool) -> dict[str, Json]:
    bucket: Json = {"Type": "AWS::S3::Bucket"}
    config: Json = {"Comment": "pybuild", "Runtime": "cloudfront-js-2.0"}
    name: Json = {"Fn::Sub": "${AWS::StackName}-rules"}
    properties: Json = {"Name": name, "AutoPublish": True, "FunctionCode": program, "FunctionConfig": config}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Bucket": bucket,
            "Reading": _reading(),
            "Access": _access(),
            "Rules": {"Type": "AWS::CloudFront::Function", "Properties": properties},
            "Distribution": _distribution(has_404=has_404),
        },
        "Outputs": {
            "Bucket": {"Value": {"Ref": "Bucket"}},
            "Distribution": {"Value": {"Ref": "Distribution"}},
            "Address": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}},
        },
    }


def _access() -> Json:
    config: Json = {
        "Name": {"Fn::Sub": "${AWS::StackName}-access"},
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    return {
        "Type": "AWS::CloudFront::OriginAccessControl",
        "Properties": {"OriginAccessControlConfig": config},
    }


def _reading() -> Json:
    """Let the distribution, and nobody else, read the bucket."""
    distribution = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        "Condition": {"StringEquals": {"AWS:SourceArn": {"Fn::Sub": distribution}}},
    }
    document: Json = {"Version": "2012-10-17", "Statement": [statement]}
    properties: Json = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}


def _distribution(*, has_404: bool) -> Json:
    arn: Json = {"Fn::GetAtt": ["Rules", "FunctionARN"]}
    associations: list[Json] = [
        {"EventType": event, "FunctionARN": arn} for event in ("viewer-request", "viewer-response")
    ]
    behavior: Json = {
        "TargetOriginId": "files",
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
        "CachePolicyId": _CACHING_OPTIMIZED,
        "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
        "FunctionAssociations": associations,
    }
    origin: Json = {
        "Id": "files",
        "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
        "OriginAccessControlId": {"Fn::GetAtt": ["Access", "Id"]},
        "S3OriginConfig": {},
    }
    missing: list[Json] = [
        {"ErrorCode": code, "ResponseCode": 404, "ResponsePagePath": f"/{NOT_FOUND}"} for code in (403, 404)
    ]
    config: dict[str, Json] = {
        "Enabled": True,
        "HttpVersion": "http2and3",
        "Origins": [origin],
        "DefaultCacheBehavior": behavior,
        **({"CustomErrorResponses": missing} if has_404 else {}),
    }
    return {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}


def _upload(rules: RuleSet, files: Files, out: str) -> Iterator[str]:
    """A shell script: one upload for each type, which S3 keeps, then the removal of what is gone."""
    yield "#!/bin/sh\n# Uploads the site: sh upload.sh BUCKET DISTRIBUTION"
    yield 'set -e\ncd "$(dirname "$0")"'
    for name in sorted({suffix(path) for path in files}):
        kind = type_of(f"x.{name}") or OCTETS
        every = f"--exclude '*' --include {shlex.quote(f'*.{name}')}" if name else "--exclude '*.*'"
        yield f'aws s3 sync {shlex.quote(out)} "s3://$1" {every} --content-type {shlex.quote(kind)}'
    for place, kind in sorted(object_types(rules, files).items()):
        source, target = shlex.quote(f"{out}/{place}"), f'"s3://$1/"{shlex.quote(place)}'
        many = " --recursive --exclude '*.*' --exclude '*/*'" if place.endswith("/") else ""
        yield f"aws s3 cp {source} {target}{many} --content-type {shlex.quote(kind)}"
    yield f'aws s3 sync {shlex.quote(out)} "s3://$1" --delete --size-only'
    yield 'aws cloudfront create-invalidation --distribution-id "$2" --paths "/*"'


def object_types(rules: RuleSet, files: Files) -> dict[str, str]:
    """The types that suffixes do not say, by path; a folder of names without suffix goes by "folder/"."""
    odd = {path: kind for path in files if (kind := _said(rules, path)) and kind != type_of(path)}
    folders: dict[str, set[str]] = {}
    for path in files:
        if not suffix(path):
            folders.setdefault(path.rpartition("/")[0] + "/", set()).add(odd.get(path, ""))
    whole = {
        folder: next(iter(kinds)) for folder, kinds in folders.items() if len(kinds) == 1 and "" not in kinds
    }
    single = {
        path: kind for path, kind in odd.items() if suffix(path) or path.rpartition("/")[0] + "/" not in whole
    }
    return whole | single


def _said(rules: RuleSet, path: str) -> str:
    return next((rule.media_type for rule in rules.types if rule.source.match("/" + path) is not None), "")


TARGET = Target("cloudfront", "Amazon CloudFront", ALL_FEATURES - {"proxies"}, compile_cloudfront, LIMITS)
