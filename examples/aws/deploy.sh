#!/bin/bash
# The worker as a Fargate service on AWS. Needs the aws-cli with rights, docker, an existing cluster, queues and buckets (the first lab's
# steps 1 to 3 make them), and the two roles. It creates or updates: an image, a task definition, a service, its scaling.
#     REGION=eu-west-1 ACCOUNT_ID=111122223333 SUBNET_ID=... SECURITY_GROUP_ID=... DROPZONE_BUCKET=... PROCESSED_BUCKET=... examples/aws/deploy.sh
# --print shows the filled-in documents and calls nothing.
set -euo pipefail
cd "$(dirname "$0")"
names=(REGION ACCOUNT_ID SUBNET_ID SECURITY_GROUP_ID DROPZONE_BUCKET PROCESSED_BUCKET)
for name in "${names[@]}"; do [ -n "${!name:-}" ] || { echo "deploy: $name is not set" >&2; exit 2; }; done

filled() {
    local text name
    text=$(cat "$1")
    for name in "${names[@]}"; do text=${text//"<$name>"/${!name}}; done
    printf '%s\n' "$text"
}
if [ "${1:-}" = --print ]; then
    for file in *.json; do filled "$file"; done
    exit
fi

image=$ACCOUNT_ID.dkr.ecr.$REGION.amazonaws.com/headrace
export AWS_DEFAULT_REGION=$REGION AWS_PAGER=
aws ecr describe-repositories --repository-names headrace >/dev/null 2>&1 || aws ecr create-repository --repository-name headrace >/dev/null
aws ecr get-login-password | docker login --username AWS --password-stdin "${image%%/*}"
docker build -f Dockerfile -t "$image:latest" ../..
docker push "$image:latest"

aws iam put-role-policy --role-name headrace-worker --policy-name headrace-worker --policy-document "$(filled task-role-policy.json)"
aws logs create-log-group --log-group-name /ecs/headrace-worker 2>/dev/null || true
aws ecs register-task-definition --cli-input-json "$(filled task-definition.json)" >/dev/null
if aws ecs describe-services --cluster headrace --services headrace-worker --query 'services[?status==`ACTIVE`]' --output text | grep -q .; then
    aws ecs update-service --cluster headrace --service headrace-worker --task-definition headrace-worker >/dev/null
else
    aws ecs create-service --cli-input-json "$(filled service.json)" >/dev/null
fi
where=(--service-namespace ecs --resource-id service/headrace/headrace-worker --scalable-dimension ecs:service:DesiredCount)
aws application-autoscaling register-scalable-target "${where[@]}" --min-capacity 1 --max-capacity 50
aws application-autoscaling put-scaling-policy "${where[@]}" --policy-name backlog --policy-type TargetTrackingScaling \
    --target-tracking-scaling-policy-configuration "$(filled scaling-policy.json)" >/dev/null
echo "headrace-worker runs in cluster headrace; its log: aws logs tail /ecs/headrace-worker --follow"
