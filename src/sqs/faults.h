/* sqs/faults.h - what SQS refuses, as AWS names it: shape, Query code, status, default text. The
 * first column is the name of the row in C; where the shape is not in AWS's published model the
 * namespace is com.amazon.coral.service. */
#ifndef HEADRACE_SQS_FAULTS_H
#define HEADRACE_SQS_FAULTS_H

#include "base/err.h"

#define SQS_CORAL "com.amazon.coral.service"
#define SQS_CODE(name) "AWS.SimpleQueueService." name

#define SQS_FAULTS(X)                                                                              \
    X(SQS_QUEUE_DOES_NOT_EXIST, "QueueDoesNotExist", SQS_CODE("NonExistentQueue"), 400, NULL,      \
      "The specified queue does not exist.")                                                       \
    X(SQS_QUEUE_NAME_EXISTS, "QueueNameExists", "QueueAlreadyExists", 400, NULL,                   \
      "A queue already exists with the same name and a different value for an attribute.")         \
    X(SQS_QUEUE_DELETED_RECENTLY, "QueueDeletedRecently", SQS_CODE("QueueDeletedRecently"), 400,   \
      NULL,                                                                                        \
      "You must wait 60 seconds after deleting a queue before you can create another with "        \
      "the same name.")                                                                            \
    X(SQS_PURGE_IN_PROGRESS, "PurgeQueueInProgress", SQS_CODE("PurgeQueueInProgress"), 403, NULL,  \
      "Only one PurgeQueue operation is allowed every 60 seconds.")                                \
    X(SQS_OVER_LIMIT, "OverLimit", "OverLimit", 403, NULL,                                         \
      "The maximum number of in flight messages is reached.")                                      \
    X(SQS_UNKNOWN_RESOURCE, "ResourceNotFoundException", "ResourceNotFoundException", 404, NULL,   \
      "The specified resource doesn't exist.")                                                     \
    X(SQS_EMPTY_BATCH, "EmptyBatchRequest", SQS_CODE("EmptyBatchRequest"), 400, NULL,              \
      "There should be at least one entry in the request.")                                        \
    X(SQS_TOO_MANY_ENTRIES, "TooManyEntriesInBatchRequest",                                        \
      SQS_CODE("TooManyEntriesInBatchRequest"), 400, NULL,                                         \
      "Maximum number of entries per request are 10.")                                             \
    X(SQS_IDS_NOT_DISTINCT, "BatchEntryIdsNotDistinct", SQS_CODE("BatchEntryIdsNotDistinct"), 400, \
      NULL, "Two or more batch entries in the request have the same Id.")                          \
    X(SQS_BATCH_TOO_LONG, "BatchRequestTooLong", SQS_CODE("BatchRequestTooLong"), 400, NULL,       \
      "The length of all the messages put together is more than the limit.")                       \
    X(SQS_INVALID_BATCH_ID, "InvalidBatchEntryId", SQS_CODE("InvalidBatchEntryId"), 400, NULL,     \
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It "    \
      "can be at most 80 letters long.")                                                           \
    X(SQS_UNSUPPORTED_OPERATION, "UnsupportedOperation", SQS_CODE("UnsupportedOperation"), 400,    \
      NULL, "Unsupported operation.")                                                              \
    X(SQS_INVALID_ATTRIBUTE_NAME, "InvalidAttributeName", "InvalidAttributeName", 400, NULL,       \
      "The specified attribute doesn't exist.")                                                    \
    X(SQS_INVALID_ATTRIBUTE_VALUE, "InvalidAttributeValue", "InvalidAttributeValue", 400, NULL,    \
      "A queue attribute value is invalid.")                                                       \
    X(SQS_INVALID_CONTENTS, "InvalidMessageContents", "InvalidMessageContents", 400, NULL,         \
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | " \
      "#xE000 to #xFFFD | #x10000 to #x10FFFF")                                                    \
    X(SQS_RECEIPT_INVALID, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400, NULL,          \
      "The specified receipt handle isn't valid.")                                                 \
    X(SQS_INVALID_ADDRESS, "InvalidAddress", "InvalidAddress", 404, NULL,                          \
      "The specified ID is invalid.")                                                              \
    X(SQS_THROTTLED, "RequestThrottled", "RequestThrottled", 403, NULL, "Request is throttled.")   \
    X(SQS_KMS_NOT_FOUND, "KmsNotFound", "KMS.NotFoundException", 400, NULL,                        \
      "The request was rejected because the specified entity or resource could not be found.")     \
    X(SQS_ACCESS_DENIED, "AccessDeniedException", "AccessDenied", 403, SQS_CORAL,                  \
      "Access to the resource is denied.")                                                         \
    X(SQS_INVALID_PARAMETER, "InvalidParameterValueException", "InvalidParameterValue", 400,       \
      SQS_CORAL, "One or more parameters are invalid.")                                            \
    X(SQS_MISSING_PARAMETER, "MissingRequiredParameterException", "MissingParameter", 400,         \
      SQS_CORAL, "The request is missing a required parameter.")                                   \
    X(SQS_MALFORMED, "SerializationException", "MalformedInput", 400, SQS_CORAL, "")

#define SQS_FAULT_DECLARE(row, type_, code_, status_, space_, text_) extern const struct fault row;
SQS_FAULTS(SQS_FAULT_DECLARE)

#endif
